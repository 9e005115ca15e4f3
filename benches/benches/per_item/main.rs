//! What each item of a stream costs, with heartbeats and with their peers. README.md tells how to
//! read the table that is printed at the end.

mod streams;

use std::convert::Infallible;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use axum::body::BodyDataStream;
use axum::response::IntoResponse;
use axum::response::sse::{self as axum_sse, Sse};
use heartbeat_benches::{Bench, Bursts, Group, ITEMS, OURS, version};
use heartbeat_core::{Config, Heartbeat};
use heartbeat_tokio::{HeartbeatStreamExt as _, Hub};
use tokio::runtime;
use tokio_stream::StreamExt as _;
use warp::sse as warp_sse;

use streams::{SleepReset, TimerSetAfter};

/// Of every wrapper; nothing is ever silent for that long.
const INTERVAL: Duration = Duration::from_secs(15);

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    let _entered = runtime.enter();

    let mut bench = Bench::new("per_item");
    wrappers(&mut bench.costs("busy", "the next item is always ready"), ITEMS);
    axum_bodies(&mut bench.costs("busy-axum", "the same within axum's Sse"), ITEMS);
    warp_events(&mut bench.costs("busy-warp", "the same with warp's events"), ITEMS);
    wrappers(&mut bench.costs("slow", "each item is followed by a poll that pends"), 1);
    axum_bodies(&mut bench.costs("slow-axum", "the same within axum's Sse"), 1);
    warp_events(&mut bench.costs("slow-warp", "the same with warp's events"), 1);
    parts(&mut bench.costs("parts", "clocks, and heartbeat-core alone"));
    bench.finish()?;
    Ok(())
}

/// Wrappers of a stream of numbers that comes in bursts of `length`.
fn wrappers(group: &mut Group<'_>, length: u32) {
    let stream = || Bursts::new(length, |n| n);

    group.stream("bare", "the bare stream", length, stream());
    let label = format!("heartbeat-tokio {}: heartbeat", version("heartbeat-tokio"));
    group.stream(OURS, label, length, stream().heartbeat(INTERVAL, || 0));
    let label = format!("heartbeat-tokio {}: heartbeat_on a hub", version("heartbeat-tokio"));
    let (hub, _task) = Hub::new();
    group.stream("hub", label, length, stream().heartbeat_on(&hub, INTERVAL, || 0));
    let label = format!("tokio-stream {}: timeout", version("tokio-stream"));
    group.stream("tokio-stream-timeout", label, length, stream().timeout(INTERVAL));
    let label = format!("tokio {}: Sleep::reset at each item", version("tokio"));
    group.stream("tokio-sleep-reset", label, length, SleepReset::new(stream()));
    let label = format!("async-io {}: Timer::set_after at each item", version("async-io"));
    group.stream("async-io-timer-set-after", label, length, TimerSetAfter::new(stream()));
}

/// Response bodies of axum over a stream of events. Axum's keep-alive cannot be had without the
/// body that encodes the events; so the body without a keep-alive is the baseline here.
fn axum_bodies(group: &mut Group<'_>, length: u32) {
    // A clone of what was encoded before: the cheapest event there is.
    let event: axum_sse::Event = black_box(axum_sse::Event::DEFAULT_KEEP_ALIVE);
    let stream = || {
        let event = event.clone();
        Bursts::new(length, move |_| Ok::<_, Infallible>(event.clone()))
    };

    let body = data_of(Sse::new(stream()));
    let label = format!("axum {}: Sse without keep-alive", version("axum"));
    group.stream("bare", label, length, body);
    let beating = stream().try_heartbeat(INTERVAL, || axum_sse::Event::DEFAULT_KEEP_ALIVE);
    let label = format!("heartbeat-tokio {}: try_heartbeat within Sse", version("heartbeat-tokio"));
    group.stream(OURS, label, length, data_of(Sse::new(beating)));
    let keep_alive = axum_sse::KeepAlive::default().interval(INTERVAL);
    let label = format!("axum {}: Sse with KeepAlive", version("axum"));
    group.stream(
        "axum-keep-alive",
        label,
        length,
        data_of(Sse::new(stream()).keep_alive(keep_alive)),
    );
}

fn data_of(response: impl IntoResponse) -> BodyDataStream {
    response.into_response().into_body().into_data_stream()
}

/// Streams of warp's events: its keep-alive can be had without the body.
fn warp_events(group: &mut Group<'_>, length: u32) {
    // Without a text: the cheapest event there is.
    let stream = || Bursts::new(length, |_| Ok::<_, Infallible>(warp_sse::Event::default()));

    group.stream("bare", "the bare stream", length, stream());
    let label = format!("heartbeat-tokio {}: try_heartbeat", version("heartbeat-tokio"));
    let beating = stream().try_heartbeat(INTERVAL, || warp_sse::Event::default().comment(""));
    group.stream(OURS, label, length, beating);
    let label = format!("warp {}: sse::keep_alive", version("warp"));
    let kept_alive = warp_sse::keep_alive().interval(INTERVAL).stream(stream());
    group.stream("warp-keep-alive", label, length, kept_alive);
}

/// What the cost of a wrapper is made of.
fn parts(group: &mut Group<'_>) {
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
}
