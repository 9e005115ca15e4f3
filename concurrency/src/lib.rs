//! What the models have in common: a clock, a sink with its peer, a hub, and the way to run a model
//! through each interleaving.
//!
//! A model is a program of two or three threads that each run a future of the push side, a stream on a
//! hub or the hub's task. loom runs it again and again, each time with the threads taking turns in
//! another way, and with what the memory model allows them to read. A thread that waits and that nobody
//! wakes is a deadlock, which loom tells.

#[cfg(not(loom))]
compile_error!("run this in its own folder, and without RUSTFLAGS: it needs `--cfg loom`");

extern crate alloc;

mod clock;
mod counted;
mod explore;
mod on_hub;
mod scene;
mod turns;
mod wire;

pub use clock::{Alarm, Clock};
pub use explore::{Interleavings, begun, poll_times, run, spawn};
pub use heartbeat_async::Config;
pub use hub::{Hub, HubError, HubTask};
pub use observer::{Counters, NoObserver};
pub use on_hub::{Items, OnHub, Stream, next, on_hub};
pub use push::DriverError;
pub use scene::{Driver, Scene, Sender, every, scene, sink};
pub use turns::{Turn, Turns};
pub use wire::{Failed, Peer, Room, Wire};

// heartbeat-async, as far as it is under test, under the names that it has there.

use beat::{ItemKind, MakeHeartbeat};
use heartbeat_async::Timer;
use observer::{Observer, Outcome};
use scheduler::Scheduler;

#[allow(warnings, clippy::pedantic, reason = "it is a copy, and linted where it is at home")]
mod hub {
    include!(concat!(env!("OUT_DIR"), "/hub/mod.rs"));
}
#[allow(warnings, clippy::pedantic, reason = "it is a copy, and linted where it is at home")]
mod push {
    include!(concat!(env!("OUT_DIR"), "/push/mod.rs"));
}

/// What needs nothing that loom has to see, as it is.
macro_rules! as_it_is {
    ($($name:ident in $file:literal)*) => {
        $(
            #[path = $file]
            #[allow(warnings, clippy::pedantic, reason = "it is linted where it is at home")]
            mod $name;
        )*
    };
}
as_it_is! {
    alarm in "../../crates/heartbeat-async/src/alarm.rs"
    audience in "../../crates/heartbeat-async/src/audience.rs"
    beat in "../../crates/heartbeat-async/src/beat.rs"
    observer in "../../crates/heartbeat-async/src/observer.rs"
    own in "../../crates/heartbeat-async/src/own.rs"
    scheduler in "../../crates/heartbeat-async/src/scheduler.rs"
    seed in "../../crates/heartbeat-async/src/seed.rs"
    stream in "../../crates/heartbeat-async/src/stream.rs"
    reporter in "../../crates/heartbeat-async/src/reporter.rs"
}
