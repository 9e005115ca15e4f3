//! What the models have in common: a clock, a sink with its peer, and the way to run a model through
//! each interleaving.
//!
//! A model is a program of two or three threads that each run a future of the push side. loom runs it
//! again and again, each time with the threads taking turns in another way, and with what the memory
//! model allows them to read. A thread that waits and that nobody wakes is a deadlock, which loom tells.

#[cfg(not(loom))]
compile_error!("run this in its own folder, and without RUSTFLAGS: it needs `--cfg loom`");

extern crate alloc;

mod clock;
mod counted;
mod explore;
#[path = "../../crates/heartbeat-async/src/heart.rs"]
mod heart;
#[allow(warnings, clippy::pedantic, reason = "it is a copy, and linted where it is at home")]
mod push {
    include!(concat!(env!("OUT_DIR"), "/push/mod.rs"));
}
mod scene;
#[path = "../../crates/heartbeat-async/src/seed.rs"]
mod seed;
#[path = "../../crates/heartbeat-async/src/telling.rs"]
#[allow(warnings, clippy::pedantic, reason = "a stream needs more of it, and it writes no events")]
mod telling;
mod turns;
mod wire;

/// What the copy takes from the original, under the names that it has there.
mod observer {
    pub(crate) use heartbeat_async::{NoObserver, Observer, Outcome};
}
use heartbeat_async::{Beat, Kind, Timer};
use observer::{Observer, Outcome};

pub use clock::{Alarm, Clock};
pub use explore::{Interleavings, begun, poll_times, run, spawn};
pub use heartbeat_async::Config;
pub use scene::{Driver, Scene, Sender, every, scene};
pub use turns::{Turn, Turns};
pub use wire::{Failed, Peer, Room, Wire};
