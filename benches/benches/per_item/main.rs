//! What each item of a stream costs, with heartbeats and with their peers. README.md tells how to
//! read the table that is printed at the end.

mod group;
mod streams;
mod table;

use std::convert::Infallible;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use axum::response::sse::{Event, KeepAlive, Sse};
use criterion::Criterion;
use heartbeat_core::{Config, Heartbeat};
use heartbeat_tokio::HeartbeatStreamExt as _;
use tokio::runtime;
use tokio_stream::StreamExt as _;

use group::Group;
use streams::{Bursts, SleepReset, TimerSetAfter};
use table::{OURS, Section, version};

/// Per iteration of criterion's. Many, since each burst ends with one more poll, which pends.
const ITEMS: u32 = 10_000;

/// Of every wrapper; nothing is ever silent for that long.
const INTERVAL: Duration = Duration::from_secs(15);

fn main() -> Result<(), Box<dyn Error>> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("criterion");
    let mut criterion = Criterion::default()
        .output_directory(&directory)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .sample_size(60)
        .nresamples(10_000)
        .configure_from_args();
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    let _entered = runtime.enter();

    let start = SystemTime::now();
    let sections = [
        wrappers(&mut criterion, "busy", "the next item is always ready", ITEMS),
        bodies(&mut criterion, "busy-sse", "the same within axum's Sse", ITEMS),
        wrappers(&mut criterion, "slow", "each item is followed by a poll that pends", 1),
        bodies(&mut criterion, "slow-sse", "the same within axum's Sse", 1),
        parts(&mut criterion, "parts", "clocks, and heartbeat-core alone"),
    ];
    criterion.final_summary();
    for section in sections {
        section.print(&directory, start);
    }
    Ok(())
}

/// Wrappers of a stream of numbers that comes in bursts of `length`.
fn wrappers(
    criterion: &mut Criterion,
    name: &'static str,
    title: &'static str,
    length: u32,
) -> Section {
    let mut group = Group::new(criterion, name, title);
    let stream = || Bursts::new(length, |n| n);

    group.stream("bare", "the bare stream", length, stream());
    let label = format!("heartbeat-tokio {}: heartbeat", version("heartbeat-tokio"));
    group.stream(OURS, label, length, stream().heartbeat(INTERVAL, || 0));
    let label = format!("tokio-stream {}: timeout", version("tokio-stream"));
    group.stream("tokio-stream-timeout", label, length, stream().timeout(INTERVAL));
    let label = format!("tokio {}: Sleep::reset at each item", version("tokio"));
    group.stream("tokio-sleep-reset", label, length, SleepReset::new(stream()));
    let label = format!("async-io {}: Timer::set_after at each item", version("async-io"));
    group.stream("async-io-timer-set-after", label, length, TimerSetAfter::new(stream()));
    group.section()
}

/// Response bodies of axum over a stream of events. Axum's keep-alive cannot be had without the
/// body that encodes the events; so the body without a keep-alive is the baseline here.
fn bodies(
    criterion: &mut Criterion,
    name: &'static str,
    title: &'static str,
    length: u32,
) -> Section {
    let mut group = Group::new(criterion, name, title);
    // A clone of what was encoded before: the cheapest event there is.
    let event: Event = black_box(Event::DEFAULT_KEEP_ALIVE);
    let stream = || {
        let event = event.clone();
        Bursts::new(length, move |_| Ok::<_, Infallible>(event.clone()))
    };

    let body = Sse::new(stream());
    let label = format!("axum {}: Sse without keep-alive", version("axum"));
    group.body("bare", label, length, body);
    let body = Sse::new(stream().try_heartbeat(INTERVAL, || Event::DEFAULT_KEEP_ALIVE));
    let label = format!("heartbeat-tokio {}: try_heartbeat within Sse", version("heartbeat-tokio"));
    group.body(OURS, label, length, body);
    let body = Sse::new(stream()).keep_alive(KeepAlive::default().interval(INTERVAL));
    let label = format!("axum {}: Sse with KeepAlive", version("axum"));
    group.body("axum-keep-alive", label, length, body);
    group.section()
}

/// What the cost of a wrapper is made of.
fn parts(criterion: &mut Criterion, name: &'static str, title: &'static str) -> Section {
    let mut group = Group::new(criterion, name, title);
    let now = Instant::now();
    let heart = Heartbeat::new(&Config::every(INTERVAL), now);

    // The arguments of the machine's calls go through a `black_box`, and this is its price.
    let mut machine = heart.clone();
    group.repeat("nothing", "an empty loop", || {
        black_box(&mut machine);
        black_box(now);
    });
    group.repeat("std-now", "std::time::Instant::now", || {
        black_box(Instant::now());
    });
    let label = format!("tokio {}: time::Instant::now", version("tokio"));
    group.repeat("tokio-now", label, || {
        black_box(tokio::time::Instant::now());
    });

    let core = format!("heartbeat-core {}", version("heartbeat-core"));
    let mut machine = heart.clone();
    group.repeat("on-send", format!("{core}: on_send"), || {
        black_box(&mut machine).on_send(black_box(now));
    });
    let mut machine = heart.clone();
    group.repeat("poll-deadline", format!("{core}: poll_deadline, no news"), || {
        let _ = black_box(black_box(&mut machine).poll_deadline(black_box(now)));
    });
    let mut machine = heart;
    group.repeat("both", format!("{core}: on_send, then poll_deadline"), || {
        black_box(&mut machine).on_send(black_box(now));
        let _ = black_box(black_box(&mut machine).poll_deadline(black_box(now)));
    });
    group.section()
}
