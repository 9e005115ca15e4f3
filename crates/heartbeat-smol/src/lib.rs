//! Heartbeats for quiet streams on smol: a stream that has been silent for an interval yields a heartbeat.
//!
//! # When to use it
//!
//! Use it when a server streams events to its clients (gRPC, SSE, NDJSON, a line protocol, …) and minutes can pass
//! without an event. Proxies, load balancers and clients close connections that are idle for that long. One
//! line adds the heartbeats:
//!
//! ```
//! use std::time::Duration;
//!
//! use futures_util::{StreamExt, stream};
//! use heartbeat_smol::HeartbeatStreamExt;
//!
//! # smol::block_on(async {
//! let events = stream::iter(["event"]).chain(stream::pending()); // one event, then silence
//! let events = events.heartbeat(Duration::from_millis(10), || "heartbeat");
//!
//! let first: Vec<_> = events.take(3).collect().await;
//! assert_eq!(first, ["event", "heartbeat", "heartbeat"]);
//! # });
//! ```
//!
//! - A stream of `Result` uses [`try_heartbeat`](HeartbeatStreamExt::try_heartbeat).
//! - A client detects a dead server with [`watchdog`](HeartbeatStreamExt::watchdog).
//! - [`Config`] has further settings, such as jitter; an [`Observer`] counts or logs the heartbeats.
//! - [`heartbeat_sink`] adds heartbeats to a channel, a WebSocket or another sink:
//!
//! ```
//! use std::time::Duration;
//!
//! use futures_util::sink;
//! use heartbeat_smol::heartbeat_sink;
//! use smol::channel::{SendError, bounded};
//!
//! # smol::block_on(async {
//! let (channel, events) = bounded(16);
//! let channel = sink::unfold(channel, |channel, event| async move {
//!     channel.send(event).await?;
//!     Ok::<_, SendError<_>>(channel)
//! });
//! let (sender, driver) = heartbeat_sink(channel, Duration::from_millis(10), || "heartbeat");
//! smol::spawn(driver).detach();
//!
//! sender.send("event").await.expect("there is a receiver");
//! assert_eq!(events.recv().await, Ok("event"));
//! assert_eq!(events.recv().await, Ok("heartbeat"));
//! # });
//! ```
//!
//! `heartbeat-tokio` and `heartbeat-async-std` offer the same names, except the timer's: to change the
//! runtime, change one dependency and one `use`.
//!
//! # Features
//!
//! None is enabled by default.
//!
//! - `http`: `HeartbeatLayer`, a tower layer that adds heartbeats to the responses of an HTTP server, and the
//!   types that configure it.
//! - `tracing`: events of the crate `tracing`, with the target `heartbeat`. TRACE: each heartbeat. DEBUG: a
//!   lost heartbeat, or a response that passes through the layer, with the reason. INFO: the heartbeats of a stream
//!   have stopped, or a peer is silent. ERROR: a hub does not serve a stream.
//!
//! Hubs and sinks need no feature: they add only two small dependencies, futures-sink and spin.
//!
//! # Time
//!
//! The timers are async-io's, like `smol::Timer`. async-io starts its thread with the first timer, and any
//! executor can poll the stream. Scheduling that thread makes a heartbeat late by a moment; it is never early. The
//! clock is [`std::time::Instant`], which cannot be paused. For tests in virtual time use
//! `heartbeat_async::HeartbeatStreamExt` with a timer of `heartbeat_async::virtual_time`.

mod timer;

heartbeat_async::adapter! {
    timer: SmolTimer,
    package: "heartbeat_smol",
    runtime: "smol",
    spawn: ["smol::spawn(", ").detach();"],
}

#[cfg(feature = "http")]
mod http {
    use super::SmolTimer;

    heartbeat_http::adapter! {
        timer: SmolTimer,
        package: "heartbeat_smol",
        runtime: "smol",
    }
}

// By name, so that the compiler names the feature where it is missing.
#[cfg(feature = "http")]
pub use http::{HeartbeatBody, HeartbeatLayer};

pub use timer::{SmolSleep, SmolTimer};

pub use heartbeat_async::{
    Classify, Config, DriverError, HubError, InvalidJitter, ItemKind, Jitter, MakeHeartbeat,
    MakeOk, NoObserver, Observed, Observer, Outcome, Telemetry, TimedOut,
};
#[cfg(target_has_atomic = "64")]
pub use heartbeat_async::{Counters, CountersSnapshot};
#[cfg(feature = "http")]
pub use heartbeat_http::{
    BodyFraming, HeartbeatMessage, HeartbeatPolicy, InvalidDescriptorSet, InvalidSse,
    NdjsonHeartbeat, PassthroughReason, PayloadTooLong, RpcHeartbeat, SseHeartbeat,
    StreamingMethods,
};
