//! The cost of each item of a stream, with heartbeats and with wrappers of other crates. README.md describes the tables
//! that are printed at the end.

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

/// The interval of all wrappers. No silence in this bench lasts as long.
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

/// Wrappers of a stream of numbers in bursts of `length`.
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

/// axum's response bodies over a stream of events. axum's `KeepAlive` works only within the body that encodes the
/// events, so the baseline is that body without `KeepAlive`.
fn axum_bodies(group: &mut Group<'_>, length: u32) {
    // A clone of an encoded event, which is the cheapest event.
    let event: axum_sse::Event = black_box(axum_sse::Event::DEFAULT_KEEP_ALIVE);
    let stream = || {
        let event = event.clone();
        Bursts::new(length, move |_| Ok::<_, Infallible>(event.clone()))
    };

    let body = data_of(Sse::new(stream()));
    let label = format!("axum {}: Sse without keep-alive", version("axum"));
    group.stream("bare", label, length, body);
    let with_heartbeats = stream().try_heartbeat(INTERVAL, || axum_sse::Event::DEFAULT_KEEP_ALIVE);
    let label = format!("heartbeat-tokio {}: try_heartbeat within Sse", version("heartbeat-tokio"));
    group.stream(OURS, label, length, data_of(Sse::new(with_heartbeats)));
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

/// Streams of warp's events. warp's `keep_alive` works without the body.
fn warp_events(group: &mut Group<'_>, length: u32) {
    // An event without text, which is the cheapest event.
    let stream = || Bursts::new(length, |_| Ok::<_, Infallible>(warp_sse::Event::default()));

    group.stream("bare", "the bare stream", length, stream());
    let label = format!("heartbeat-tokio {}: try_heartbeat", version("heartbeat-tokio"));
    let with_heartbeats =
        stream().try_heartbeat(INTERVAL, || warp_sse::Event::default().comment(""));
    group.stream(OURS, label, length, with_heartbeats);
    let label = format!("warp {}: sse::keep_alive", version("warp"));
    let keep_alive = warp_sse::keep_alive().interval(INTERVAL).stream(stream());
    group.stream("warp-keep-alive", label, length, keep_alive);
}

/// The parts of the cost of a wrapper.
fn parts(group: &mut Group<'_>) {
    let now = Instant::now();
    let heartbeat = Heartbeat::new(&Config::every(INTERVAL), now);

    // The arguments of the calls pass through `black_box`; this is its cost.
    let mut subject = heartbeat.clone();
    group.repeat("nothing", "an empty loop", || {
        black_box(&mut subject);
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
    let mut subject = heartbeat.clone();
    group.repeat("on-send", format!("{core}: on_send"), || {
        black_box(&mut subject).on_send(black_box(now));
    });
    let mut subject = heartbeat.clone();
    group.repeat("poll-deadline", format!("{core}: poll_deadline, unchanged"), || {
        let _ = black_box(black_box(&mut subject).poll_deadline(black_box(now)));
    });
    let mut subject = heartbeat;
    group.repeat("both", format!("{core}: on_send, then poll_deadline"), || {
        black_box(&mut subject).on_send(black_box(now));
        let _ = black_box(black_box(&mut subject).poll_deadline(black_box(now)));
    });
}
