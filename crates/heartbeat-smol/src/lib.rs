//! Keeps quiet streams alive on smol: whenever a stream has been silent for an interval, it yields
//! a heartbeat.
//!
//! # When to use it
//!
//! When a server streams events to its clients (gRPC, SSE, NDJSON, a line protocol, …) and there may
//! be no event for a minute: a proxy, a load balancer or the client itself would cut the stream. One
//! line adds the heartbeats:
//!
//! ```
//! use std::time::Duration;
//!
//! use futures_util::{StreamExt, stream};
//! use heartbeat_smol::HeartbeatStreamExt;
//!
//! # smol::block_on(async {
//! let events = stream::iter(["real"]).chain(stream::pending()); // one event, then silence
//! let events = events.heartbeat(Duration::from_millis(10), || "heartbeat");
//!
//! let first: Vec<_> = events.take(3).collect().await;
//! assert_eq!(first, ["real", "heartbeat", "heartbeat"]);
//! # });
//! ```
//!
//! For a stream of `Result` there is [`try_heartbeat`](HeartbeatStreamExt::try_heartbeat). Who
//! pushes into a channel, a WebSocket or another sink takes [`heartbeat_sink`]; a client notices by
//! [`watchdog`](HeartbeatStreamExt::watchdog) that its server has gone. What else can be set stands
//! at [`Config`], and what becomes of the heartbeats an [`Observer`] hears.
//!
//! All names but the timer's are those of `heartbeat-tokio` and `heartbeat-async-std`: changing the
//! runtime is changing one dependency and one `use`.
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
//! The alarms are async-io's, as `smol::Timer` is: their thread starts with the first of them, and
//! whichever executor polls the stream is the right one. They are exact but for the scheduling of
//! that thread, and never early. The clock is [`std::time::Instant`]; it cannot be paused. For
//! tests in virtual time wrap the stream with `heartbeat_async::virtual_time`.

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
pub use timer::{Sleep, SmolTimer};

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
