//! Keeps quiet async streams alive, on any runtime.
//!
//! [`HeartbeatStream`] wraps a stream and yields its items; when the stream has been silent for an
//! interval, it yields a heartbeat. An item costs it no clock and no timer, and back-pressure cannot
//! pile heartbeats up. Who pushes into a sink rather than returning a stream takes [`heartbeat_sink`]: a
//! [`Sender`] for the items and a [`Driver`] for the heartbeats. At the other end [`WatchdogStream`]
//! notices that a peer has fallen silent. All of them ask a runtime for nothing but a [`Timer`]: a
//! clock, and alarms. Where there are many quiet streams, they share one alarm through a hub (the feature
//! of that name).
//!
//! # When to use it
//!
//! Take an adapter, such as `heartbeat-tokio`, if there is one for your runtime: it brings the timer
//! and the one-line extension trait. Use this crate itself for another runtime, or for a library
//! that leaves the choice of the runtime to its users. It is `no_std` (but asks for an allocator
//! and 32-bit atomics), holds no `unsafe` and names no runtime.
//!
//! # Example
//!
//! A timer is a few lines. This one is for tests, whose time only moves when they say so:
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
//! struct Alarm<'a>(&'a Cell<Duration>, Duration);
//!
//! impl<'a> Timer for Manual<'a> {
//!     type Instant = Duration; // since the test began
//!     type Sleep = Alarm<'a>;
//!
//!     fn now(&self) -> Duration {
//!         self.0.get()
//!     }
//!
//!     fn sleep_until(&self, deadline: Duration) -> Alarm<'a> {
//!         Alarm(self.0, deadline)
//!     }
//! }
//!
//! impl Future for Alarm<'_> {
//!     type Output = ();
//!
//!     fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
//!         if self.0.get() >= self.1 { Poll::Ready(()) } else { Poll::Pending }
//!     }
//! }
//!
//! let clock = Cell::new(Duration::ZERO);
//! let quiet = futures_util::stream::pending();
//! let stream = quiet.heartbeat(Manual(&clock), Duration::from_secs(15), || "beat");
//!
//! let mut stream = pin!(stream);
//! let mut cx = Context::from_waker(Waker::noop());
//! assert_eq!(stream.as_mut().poll_next(&mut cx), Poll::Pending);
//! clock.set(Duration::from_secs(15));
//! assert_eq!(stream.as_mut().poll_next(&mut cx), Poll::Ready(Some("beat")));
//! ```
//!
//! # Features
//!
//! None is on by default. Those but `tracing` need std, and `hub` needs 64-bit atomics, too.
//!
//! - `std`: the mutex of std for the push side, in place of a spin lock.
//! - `hub`: `Hub`, one alarm of the runtime for the heartbeats of any number of streams.
//! - `tracing`: events of the crate `tracing`, with the target `heartbeat`: each heartbeat at the level
//!   TRACE, one that was lost at DEBUG, and at INFO that the heartbeats of a stream cease or a peer
//!   has fallen silent; at ERROR that a hub does not serve a stream.
//! - `virtual-time`: the module `virtual_time`, a clock for tests that moves when everything waits.
//!
//! The crate `heartbeat-conformance` tests that a timer of yours keeps the rules.

#![no_std]

extern crate alloc;
#[cfg(any(feature = "std", loom))]
extern crate std;

#[cfg(feature = "hub")]
#[doc(hidden)]
pub mod adapter;
mod ext;
#[cfg(feature = "virtual-time")]
mod flag_waker;
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
    pub use crate::sink::fair_lock::{DriverWait, FairGuard, FairLock, Place};
}
