//! What a model of the push side begins with.

use std::time::Duration;

use heartbeat_async::{Config, Scheduler, heartbeat_sink};

use crate::wire::wire;
use crate::{Clock, Peer, Room, Wire, run};

/// Sends `&str`s into a [`Wire`].
pub type Sender<P = Clock> = heartbeat_async::Sender<&'static str, Wire, fn() -> &'static str, P>;

/// Sends a `"beat"` into a [`Wire`] when nothing was sent for ten seconds.
pub type Driver<P = Clock> = heartbeat_async::Driver<&'static str, Wire, fn() -> &'static str, P>;

/// A sink with heartbeats, and what is around it.
#[derive(Debug)]
pub struct Scene {
    /// What sends real items.
    pub sender: Sender,
    /// What sends heartbeats.
    pub driver: Driver,
    /// The other end.
    pub peer: Peer,
    /// The clock of the driver.
    pub clock: Clock,
}

/// Heartbeats every ten seconds.
pub fn every() -> Config {
    Config::every(Duration::from_secs(10)).with_seed(1)
}

/// A sink with heartbeats, and what is around it. Nothing is to be flushed.
///
/// # Panics
///
/// If that fails.
#[must_use]
pub fn scene(room: Room, config: Config) -> Scene {
    let clock = Clock::new();
    let (sender, driver, peer) = sink(room, clock.clone(), config);
    Scene { sender, driver, peer, clock }
}

/// A sink with heartbeats, by whatever paces them. Nothing is to be flushed.
///
/// # Panics
///
/// If that fails.
pub fn sink<P: Scheduler>(
    room: Room,
    scheduler: P,
    config: Config,
) -> (Sender<P>, Driver<P>, Peer) {
    let (wire, peer) = wire(room);
    let (sender, driver) = heartbeat_sink(wire, scheduler, config, beat as fn() -> _);
    run(sender.flush()).expect("there is nothing to flush");
    (sender, driver, peer)
}

fn beat() -> &'static str {
    "beat"
}
