//! Keeps quiet streams alive on tokio: whenever a stream has been silent for an interval, it yields
//! a heartbeat.
//!
//! # When to use it
//!
//! When a server streams events to its clients (gRPC, SSE, NDJSON, …) and there may be no event for
//! a minute: a proxy, a load balancer or the client itself would cut the stream. One line adds the
//! heartbeats:
//!
//! ```
//! use std::time::Duration;
//!
//! use futures_util::{StreamExt, stream};
//! use heartbeat_tokio::HeartbeatStreamExt;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let events = stream::iter(["real"]).chain(stream::pending()); // one event, then silence
//! let events = events.heartbeat(Duration::from_secs(15), || "heartbeat");
//!
//! let first: Vec<_> = events.take(3).collect().await;
//! assert_eq!(first, ["real", "heartbeat", "heartbeat"]);
//! # }
//! ```
//!
//! For a stream of `Result`, as tonic and axum take them, there is
//! [`try_heartbeat`](HeartbeatStreamExt::try_heartbeat). Who pushes into a channel, a WebSocket or
//! another sink takes [`heartbeat_sink`]; a client notices by [`watchdog`](HeartbeatStreamExt::watchdog) that its
//! server has gone. What else can be set stands at [`Config`], and what becomes of the heartbeats an
//! [`Observer`] hears.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `http`: `HeartbeatLayer`, a tower layer that keeps the responses of an HTTP server alive, and what
//!   its policy is made of.
//! - `tracing`: events of the crate `tracing`, with the target `heartbeat`: each heartbeat at the level
//!   TRACE, one that was lost at DEBUG, and at INFO that the heartbeats of a stream cease or a peer has
//!   fallen silent; at ERROR that a hub does not serve a stream.
//!
//! # Time
//!
//! All times are tokio's own, so that `tokio::time::pause()` and `start_paused` work. tokio's timer
//! counts in milliseconds and rounds up: a heartbeat may be up to 1 ms late, and is never early.
//!
//! # Panics
//!
//! As with every timer of tokio, a stream must be polled within a runtime whose time driver is
//! enabled.

mod ext;
#[cfg(feature = "http")]
mod http;
mod hub;
mod push;
mod timer;

pub use ext::{HeartbeatStream, HeartbeatStreamExt, WatchdogStream};
#[cfg(feature = "http")]
pub use http::{HeartbeatBody, HeartbeatLayer};
pub use hub::{Hub, HubTask};
pub use push::{Driver, Sender, heartbeat_sink, heartbeat_sink_on};
pub use timer::TokioTimer;

pub use heartbeat_async::{
    Classify, Config, DriverError, HubError, InvalidJitter, ItemKind, Jitter, MakeHeartbeat,
    MakeOk, NoObserver, Observed, Observer, Outcome, Telemetry, TimedOut,
};
#[cfg(target_has_atomic = "64")]
pub use heartbeat_async::{Counters, CountersSnapshot};
#[cfg(feature = "http")]
pub use heartbeat_http::{
    BodyFraming, HeartbeatMessage, HeartbeatPolicy, InvalidDescriptorSet, NdjsonHeartbeat,
    RpcHeartbeat, SseHeartbeat, StreamingMethods,
};
