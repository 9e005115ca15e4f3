//! Keeps quiet streams alive on async-std: whenever a stream has been silent for an interval, it
//! yields a heartbeat.
//!
//! # When to use it
//!
//! When a server that runs on async-std streams events to its clients (SSE, NDJSON, a line protocol,
//! …) and there may be no event for a minute: a proxy, a load balancer or the client itself would
//! cut the stream. One line adds the heartbeats:
//!
//! ```
//! use std::time::Duration;
//!
//! use futures_util::{StreamExt, stream};
//! use heartbeat_async_std::HeartbeatStreamExt;
//!
//! # async_std::task::block_on(async {
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
//! # The state of async-std
//!
//! async-std is no longer maintained: its authors [discontinued it][notice] in March 2025 and
//! recommend smol, and [RUSTSEC-2025-0052] says so to `cargo audit`. This crate is for servers that
//! still run on it. All names but the timer's are those of `heartbeat-smol` and `heartbeat-tokio`:
//! moving on is changing one dependency and one `use`.
//!
//! [notice]: https://github.com/async-rs/async-std#readme
//! [RUSTSEC-2025-0052]: https://rustsec.org/advisories/RUSTSEC-2025-0052.html
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
//! async-std's own timers come from the crate async-io, and its public functions offer none that can
//! be moved: each new deadline would be a `task::sleep` more, in a box. So the alarms here are
//! async-io's themselves, of the same major version and with the same thread behind them as
//! async-std 1.13's, and async-std need not even be a dependency. They are exact but for the
//! scheduling of that thread, and never early. The clock is [`std::time::Instant`]; it cannot be
//! paused. For tests in virtual time wrap the stream with `heartbeat_async::virtual_time`.

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
pub use timer::{AsyncStdTimer, Sleep};

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
