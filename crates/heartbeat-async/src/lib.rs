//! Heartbeats for quiet async streams, on any runtime.
//!
//! - [`HeartbeatStream`] wraps a stream and yields its items. When the stream has been silent for an interval, it yields a
//!   heartbeat. An item reads no clock and sets no timer, and at most one heartbeat waits for a slow consumer.
//! - [`heartbeat_sink`] adds heartbeats to a sink: a [`Sender`] sends the items, and a [`Driver`] sends the heartbeats.
//! - [`WatchdogStream`] is for the receiving side: it ends with an error when its peer has been silent for too long.
//! - [`KeepAlive`] is for wrappers of another kind, such as an HTTP body.
//!
//! All of them need only a [`Timer`] of the runtime: a clock and sleeps. With the feature `hub`, many quiet streams share
//! one sleep.
//!
//! # When to use it
//!
//! Use the adapter for your runtime, such as `heartbeat-tokio`, if there is one: it has the timer and an extension trait. Use
//! this crate for another runtime, or in a library whose users choose the runtime. It is `no_std`; it needs an
//! allocator and 32-bit atomics.
//!
//! # Example
//!
//! A timer for tests, which set the clock themselves:
//!
//! ```
//! use std::cell::Cell;
//! use std::future::{Future, poll_fn};
//! use std::pin::{Pin, pin};
//! use std::task::{Context, Poll, Waker};
//! use std::time::Duration;
//!
//! use futures_core::Stream;
//! use heartbeat_async::{HeartbeatStreamExt, Timer};
//!
//! struct Manual<'a>(&'a Cell<Duration>);
//! struct ManualSleep<'a>(&'a Cell<Duration>, Duration);
//!
//! impl<'a> Timer for Manual<'a> {
//!     type Instant = Duration; // since the test began
//!     type Sleep = ManualSleep<'a>;
//!
//!     fn now(&self) -> Duration {
//!         self.0.get()
//!     }
//!
//!     fn sleep_until(&self, deadline: Duration) -> ManualSleep<'a> {
//!         ManualSleep(self.0, deadline)
//!     }
//! }
//!
//! impl Future for ManualSleep<'_> {
//!     type Output = ();
//!
//!     fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
//!         if self.0.get() >= self.1 { Poll::Ready(()) } else { Poll::Pending }
//!     }
//! }
//!
//! let clock = Cell::new(Duration::ZERO);
//! let quiet = futures_util::stream::pending();
//! let stream = quiet.heartbeat(Manual(&clock), Duration::from_secs(15), || "heartbeat");
//!
//! let mut stream = pin!(stream);
//! let mut cx = Context::from_waker(Waker::noop());
//! assert_eq!(stream.as_mut().poll_next(&mut cx), Poll::Pending);
//! clock.set(Duration::from_secs(15));
//! assert_eq!(stream.as_mut().poll_next(&mut cx), Poll::Ready(Some("heartbeat")));
//! ```
//!
//! # Features
//!
//! None is enabled by default.
//!
//! - `std`: `std::time::Instant` can be the instant of a [`Timer`], and sinks use the mutex of std in place of a spin lock.
//! - `hub`: `Hub`, one sleep of the runtime for the heartbeats of many streams. Needs std and 64-bit atomics.
//! - `tracing`: events of the crate `tracing` with the target `heartbeat`. TRACE: each heartbeat. DEBUG: a lost
//!   heartbeat. INFO: the heartbeats of a stream have stopped, or a peer is silent. ERROR: a hub does not serve a
//!   stream.
//! - `virtual-time`: the module `virtual_time`, a clock for tests. Needs std.
//!
//! The crate `heartbeat-conformance` tests that a timer keeps the [`rules`].

#![no_std]

extern crate alloc;
#[cfg(any(feature = "std", loom))]
extern crate std;

#[cfg(feature = "hub")]
#[doc(hidden)]
pub mod adapter;
mod ext;
#[cfg(feature = "hub")]
mod hub;
mod keep_alive;
mod observer;
mod schedule;
mod sink;
mod sync;
mod timer;
#[cfg(feature = "virtual-time")]
pub mod virtual_time;
mod watchdog_stream;

pub use ext::HeartbeatStreamExt;
#[cfg(feature = "hub")]
pub use hub::{Hub, HubError, HubTask};
pub use keep_alive::{Classify, HeartbeatStream, ItemKind, KeepAlive, MakeHeartbeat, MakeOk};
#[cfg(target_has_atomic = "64")]
pub use observer::{Counters, CountersSnapshot};
pub use observer::{NoObserver, Observed, Observer, Outcome, Telemetry};
pub use schedule::Scheduler;
pub use sink::{Driver, DriverError, Sender, heartbeat_sink};
pub use timer::Timer;
pub use watchdog_stream::{TimedOut, WatchdogStream};

pub use heartbeat_core::{Config, Instant, InvalidJitter, Jitter, rules};

/// What the models of loom need of this crate and its users do not.
#[cfg(loom)]
#[doc(hidden)]
pub mod loom_models {
    pub use crate::sink::fair_lock::{Acquire, DriverWait, FairGuard, FairLock};
}
