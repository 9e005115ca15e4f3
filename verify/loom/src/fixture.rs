//! What the models of the push side have in common.

use std::time::Duration;

use heartbeat_async::{Config, Scheduler, heartbeat_sink};

use crate::test_sink::test_sink;
use crate::{Capacity, Clock, LoomSink, SinkPeer, run};

/// Sends `&str`s into a [`LoomSink`].
pub type LoomSender<P = Clock> =
    heartbeat_async::Sender<&'static str, LoomSink, fn() -> &'static str, P>;

/// Sends a `"heartbeat"` into a [`LoomSink`] when nothing was sent for ten seconds.
pub type LoomDriver<P = Clock> =
    heartbeat_async::Driver<&'static str, LoomSink, fn() -> &'static str, P>;

/// A sink with heartbeats, and what it depends on.
#[derive(Debug)]
pub struct SinkFixture {
    /// Sends the items.
    pub sender: LoomSender,
    /// Sends the heartbeats.
    pub driver: LoomDriver,
    /// The peer that receives them.
    pub peer: SinkPeer,
    /// The clock of the driver.
    pub clock: Clock,
}

/// Heartbeats every ten seconds.
pub fn every() -> Config {
    Config::every(Duration::from_secs(10)).with_seed(1)
}

/// A sink with heartbeats, and what it depends on. It is flushed.
///
/// # Panics
///
/// If the flush fails.
#[must_use]
pub fn fixture(capacity: Capacity, config: Config) -> SinkFixture {
    let clock = Clock::new();
    let (sender, driver, peer) = sink(capacity, clock.clone(), config);
    SinkFixture { sender, driver, peer, clock }
}

/// A sink with heartbeats, on a timer or on a hub. It is flushed.
///
/// # Panics
///
/// If the flush fails.
pub fn sink<P: Scheduler>(
    capacity: Capacity,
    scheduler: P,
    config: Config,
) -> (LoomSender<P>, LoomDriver<P>, SinkPeer) {
    let (test_sink, peer) = test_sink(capacity);
    let (sender, driver) = heartbeat_sink(test_sink, scheduler, config, heartbeat as fn() -> _);
    run(sender.flush()).expect("an empty sink is flushed");
    (sender, driver, peer)
}

fn heartbeat() -> &'static str {
    "heartbeat"
}
