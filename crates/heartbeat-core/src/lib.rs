//! Decides when a quiet stream owes its peer a heartbeat, and when a quiet peer is to be given up.
//!
//! A server that streams events falls silent when nothing happens, and a proxy, a load balancer or
//! the client then cuts the stream. The cure is a heartbeat sent in silence only: every real send
//! restarts the silence, and when an interval of it has passed, a tiny message is sent. This crate
//! is the decision alone, as state machines without a clock, a timer or I/O: the caller says what
//! happened and when, and asks what to do. It is `no_std`, has no dependencies, allocates in
//! [`HeartbeatSet`] only and never panics.
//!
//! - [`Heartbeat`] is the sending half of one stream, [`Watchdog`] the receiving half.
//! - [`HeartbeatSet`] is many sending halves behind one deadline.
//! - [`Config`] says how long a silence may last, and what else there is to heed.
//! - [`Instant`] is what a point in time must offer: [`std::time::Instant`] does, and so does a
//!   [`Duration`](core::time::Duration) since an epoch of your choice.
//!
//! # When to use it
//!
//! For an async stream take `heartbeat-tokio` or another adapter, which drives these machines for
//! you. Use this crate where there is no async runtime: in an event loop, a simulation, firmware, or
//! to build an adapter of your own.
//!
//! # Example
//!
//! ```
//! use core::time::Duration;
//! use heartbeat_core::{Action, Config, Heartbeat};
//!
//! let at = Duration::from_secs; // time since an epoch of ours
//! let mut heartbeat = Heartbeat::new(&Config::every(Duration::from_secs(15)), at(0));
//!
//! heartbeat.on_send(at(5)); // a real event restarts the silence ...
//! assert_eq!(heartbeat.poll_deadline(at(15)), Action::WaitUntil(at(20)));
//!
//! // ... and an interval after it a heartbeat is due.
//! assert_eq!(heartbeat.poll_deadline(at(21)), Action::SendHeartbeat { late: Duration::from_secs(1) });
//! heartbeat.on_heartbeat_sent(at(21));
//! assert_eq!(heartbeat.poll_deadline(at(21)), Action::WaitUntil(at(36)));
//! ```
//!
//! # Features
//!
//! - `alloc`: [`HeartbeatSet`].
//! - `std` (on by default, with `alloc`): implements [`Instant`] for [`std::time::Instant`].

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
