//! The parts that the models share: a clock, a sink with its peer, a hub, and a way to run a model through each
//! interleaving.
//!
//! A model is a program of two or three threads. Each runs a future of the push side, a stream on a hub, or the task of
//! the hub. loom runs the model again and again, each time with another order of the threads and other values that the
//! memory model allows them to read. A thread that waits and is never woken is a deadlock, which loom reports.

#[cfg(not(loom))]
compile_error!("run this in its own folder, and without RUSTFLAGS: it needs `--cfg loom`");

mod clock;
mod explore;
mod fixture;
mod on_hub;
mod test_lock;
mod test_sink;

pub use clock::{Clock, ClockSleep};
pub use explore::{Interleavings, poll_times, polled_once, run, spawn};
pub use fixture::{LoomDriver, LoomSender, SinkFixture, every, fixture, sink};
pub use heartbeat_async::{
    Config, Counters, DriverError, Hub, HubError, HubTask, NoObserver, Observed,
};
pub use on_hub::{HubFixture, HubStream, ItemStream, next, on_hub};
pub use test_lock::{HeldLock, TestLock};
pub use test_sink::{Capacity, LoomSink, LoomSinkError, SinkPeer};
