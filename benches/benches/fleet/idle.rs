//! A fleet of quiet members, and a queue of as many entries: what is measured is one call among them.

use std::time::Duration;

use heartbeat_core::{Config, Fleet, Key};
use tokio_util::time::{DelayQueue, delay_queue};

pub(crate) const SIZES: [(u32, &str); 3] = [(1_000, "1k"), (100_000, "100k"), (10_000_000, "10M")];

pub(crate) const INTERVAL: Duration = Duration::from_secs(15);

/// What a member's owner keeps with it: as much as a waker.
pub(crate) type Value = [u64; 2];

/// Members, and their keys. They fall due in an order that has nothing to do with their places in
/// memory, as in a fleet of any age.
pub(crate) struct Idle {
    pub(crate) fleet: Fleet<Duration, Value>,
    pub(crate) keys: Vec<Key>,
    pub(crate) now: Duration,
}

impl Idle {
    pub(crate) fn new(size: u32) -> Self {
        let now = INTERVAL * 14 / 15; // nobody is due
        let mut random = Random::new();
        let mut fleet = Fleet::new(Duration::ZERO);
        let keys = (0..size).map(|_| {
            let birth = random.duration(now);
            let key = fleet.insert(&Config::every(INTERVAL), birth, [0; 2]).expect("there is room");
            let _ = fleet.poll_deadline(key, now);
            key
        });
        let keys = keys.collect();
        Self { fleet, keys, now }
    }

    /// Opens a stream, and asks for its first deadline.
    pub(crate) fn insert(&mut self) -> Key {
        let config = Config::every(INTERVAL);
        let key = self.fleet.insert(&config, self.now, [0; 2]).expect("there is room");
        let _ = self.fleet.poll_deadline(key, self.now);
        key
    }

    /// Takes one member that has come up, and asks it; the time goes on when there is nobody else.
    /// Whether it beat, or had been sent to meanwhile.
    pub(crate) fn take_due(&mut self) -> bool {
        let key = loop {
            match self.fleet.take_due(self.now) {
                Some(key) => break key,
                None => self.now = self.fleet.next_deadline().expect("all of them wait"),
            }
        };
        let _ = self.fleet.poll_deadline(key, self.now);
        self.fleet.is_in_flight(key) && self.fleet.on_heartbeat_sent(key, self.now)
    }
}

/// Entries that fall due between one interval from now and two, in any order.
pub(crate) struct Queue {
    pub(crate) queue: DelayQueue<Value>,
    pub(crate) keys: Vec<delay_queue::Key>,
}

impl Queue {
    pub(crate) fn new(size: u32) -> Self {
        let mut random = Random::new();
        let mut queue = DelayQueue::new();
        let insert = |_| queue.insert([0; 2], INTERVAL + random.duration(INTERVAL));
        let keys = (0..size).map(insert).collect();
        Self { queue, keys }
    }

    pub(crate) fn insert(&mut self) -> delay_queue::Key {
        self.queue.insert([0; 2], INTERVAL)
    }
}

/// A sequence of numbers without a pattern that a prefetcher could guess (xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let end = u128::try_from(end).expect("at most 64 bits");
        usize::try_from((u128::from(self.0) * end) >> 64).expect("below the end")
    }

    /// So many different numbers below `end`.
    pub(crate) fn different(&mut self, end: usize, count: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = Vec::with_capacity(count);
        let part = end / count;
        numbers.extend((0..count).map(|nth| nth * part + self.below(part)));
        for nth in (1..count).rev() {
            let other = self.below(nth + 1);
            numbers.swap(nth, other); // not in the order of memory
        }
        numbers
    }

    fn duration(&mut self, end: Duration) -> Duration {
        end * u32::try_from(self.below(1 << 20)).expect("20 bits") / (1 << 20)
    }
}
