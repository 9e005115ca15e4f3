//! State machines that decide when a quiet stream needs a heartbeat, and when a quiet peer has timed out.
//!
//! A server that streams events sends nothing while nothing happens. A proxy, a load balancer or the
//! client then closes the idle stream. A heartbeat prevents that: each event restarts a silence timer,
//! and when the timer fires, a small message is sent. This crate contains the decision only. It has no
//! clock, no timer and no I/O: the caller reports what happened and when, and polls for what to do. The
//! crate is `no_std`, has no dependencies, allocates only in [`HeartbeatSet`], and never panics.
//!
//! - [`Heartbeat`] is the sending half of one stream, [`Watchdog`] the receiving half.
//! - [`HeartbeatSet`] holds many sending halves behind one deadline.
//! - [`Config`] sets the interval, jitter and limits.
//! - [`Instant`] is the trait for points in time. It is implemented for [`std::time::Instant`] and for
//!   [`Duration`](core::time::Duration), which counts from an epoch of your choice.
//! - [`rules`] defines the behavior: rules T1 to T21, with drawings.
//!
//! # When to use it
//!
//! For an async stream use `heartbeat-tokio` or another adapter: it drives these state machines for you.
//! Use this crate directly without an async runtime (an event loop, a simulation, firmware), or to write
//! an adapter.
//!
//! # Example
//!
//! ```
//! use core::time::Duration;
//! use heartbeat_core::{Action, Config, Heartbeat};
//!
//! let at = Duration::from_secs; // time since an epoch
//! let mut heartbeat = Heartbeat::new(&Config::every(Duration::from_secs(15)), at(0));
//!
//! // An event restarts the silence timer.
//! heartbeat.on_send(at(5));
//! assert_eq!(heartbeat.poll_deadline(at(15)), Action::WaitUntil(at(20)));
//!
//! // One interval later a heartbeat is due.
//! assert_eq!(
//!     heartbeat.poll_deadline(at(21)),
//!     Action::SendHeartbeat { late: Duration::from_secs(1) },
//! );
//! heartbeat.on_heartbeat_sent(at(21));
//! assert_eq!(heartbeat.poll_deadline(at(21)), Action::WaitUntil(at(36)));
//! ```
//!
//! # Features
//!
//! - `alloc`: [`HeartbeatSet`].
//! - `std` (default, enables `alloc`): implements [`Instant`] for [`std::time::Instant`].

#![no_std]
#![deny(clippy::arithmetic_side_effects)]
#![cfg_attr(
    test,
    expect(clippy::unchecked_time_subtraction, reason = "a test that underflows fails")
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "alloc")]
mod compact_instant;
mod config;
mod heartbeat;
#[cfg(feature = "alloc")]
mod heartbeat_set;
mod instant;
mod jitter;
mod nanos;
mod watchdog;

#[doc = include_str!("../timer-semantics.md")]
pub mod rules {}

pub use config::Config;
pub use heartbeat::{Action, Heartbeat};
#[cfg(feature = "alloc")]
pub use heartbeat_set::{HeartbeatSet, HeartbeatSetFull, Key};
pub use instant::Instant;
pub use jitter::{InvalidJitter, Jitter};
pub use watchdog::{Watchdog, WatchdogAction};
