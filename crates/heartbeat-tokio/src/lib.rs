//! Heartbeats for quiet streams on tokio: a stream that has been silent for an interval yields a heartbeat.
//!
//! # When to use it
//!
//! Use it when a server streams events to its clients (gRPC, SSE, NDJSON, …) and minutes can pass
//! without an event. Proxies, load balancers and clients close connections that are idle for that long. One
//! line adds the heartbeats:
//!
//! ```
//! use std::time::Duration;
//!
//! use futures_util::{StreamExt, stream};
//! use heartbeat_tokio::HeartbeatStreamExt;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let events = stream::iter(["event"]).chain(stream::pending()); // one event, then silence
//! let events = events.heartbeat(Duration::from_secs(15), || "heartbeat");
//!
//! let first: Vec<_> = events.take(3).collect().await;
//! assert_eq!(first, ["event", "heartbeat", "heartbeat"]);
//! # }
//! ```
//!
//! - A stream of `Result`, as tonic and axum take it, uses [`try_heartbeat`](HeartbeatStreamExt::try_heartbeat).
//! - A client detects a dead server with [`watchdog`](HeartbeatStreamExt::watchdog).
//! - [`Config`] has further settings, such as jitter; an [`Observer`] counts or logs the heartbeats.
//! - [`heartbeat_sink`] adds heartbeats to a channel, a WebSocket or another sink:
//!
//! ```
//! use std::time::Duration;
//!
//! use heartbeat_tokio::heartbeat_sink;
//! use tokio::sync::mpsc;
//! use tokio_util::sync::PollSender;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let (channel, mut events) = mpsc::channel(16);
//! let channel = PollSender::new(channel);
//! let (sender, driver) = heartbeat_sink(channel, Duration::from_secs(15), || "heartbeat");
//! tokio::spawn(driver);
//!
//! sender.send("event").await.expect("there is a receiver");
//! assert_eq!(events.recv().await, Some("event"));
//! assert_eq!(events.recv().await, Some("heartbeat")); // after 15 s
//! # }
//! ```
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
//! All times are tokio's, so `tokio::time::pause()` and `start_paused` work. tokio's timers have a resolution
//! of one millisecond and round up: a heartbeat is up to 1 ms late, and never early.
//!
//! # Panics
//!
//! Like all of tokio's timers, a stream panics when it is polled outside of a runtime whose time driver is
//! enabled.

mod timer;

heartbeat_async::adapter! {
    timer: TokioTimer,
    package: "heartbeat_tokio",
    runtime: "tokio",
    spawn: ["tokio::spawn(", ");"],
}

#[cfg(feature = "http")]
mod http {
    use super::TokioTimer;

    heartbeat_http::adapter! {
        timer: TokioTimer,
        package: "heartbeat_tokio",
        runtime: "tokio",
    }
}

// By name, so that the compiler names the feature where it is missing.
#[cfg(feature = "http")]
pub use http::{HeartbeatBody, HeartbeatLayer};

pub use timer::TokioTimer;

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
