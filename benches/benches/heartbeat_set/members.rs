//! `heartbeat-core`'s `HeartbeatSet`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use heartbeat_benches::{Group, Random, version};
use heartbeat_core::{Action, Config, HeartbeatSet, Key};

use crate::{BATCH, INTERVAL, Value, in_batches};

/// A set and the keys of its members. The order of the deadlines is independent of the order in memory, as in a set
/// that has existed for a while.
pub(crate) struct IdleMembers {
    pub(crate) set: HeartbeatSet<Duration, Value>,
    pub(crate) keys: Vec<Key>,
    pub(crate) now: Duration,
}

impl IdleMembers {
    pub(crate) fn new(size: u32) -> Self {
        let now = INTERVAL * 14 / 15; // no member is due
        let mut random = Random::new();
        let mut set = HeartbeatSet::new(Duration::ZERO);
        let keys = (0..size).map(|_| {
            let start = random.duration(now);
            let key =
                set.insert(&Config::every(INTERVAL), start, [0; 2]).expect("room for a member");
            let _ = set.poll_deadline(key, now);
            key
        });
        let keys = keys.collect();
        Self { set, keys, now }
    }

    pub(crate) fn insert(&mut self) -> Key {
        let config = Config::every(INTERVAL);
        let key = self.set.insert(&config, self.now, [0; 2]).expect("room for a member");
        let _ = black_box(self.set.poll_deadline(key, self.now));
        key
    }

    /// Sends the heartbeat of a member that is due. Advances the time if no member is due.
    pub(crate) fn send_heartbeat(&mut self) {
        loop {
            let Some(key) = self.set.pop_due(self.now) else {
                self.now = self.set.next_deadline().expect("every member has a deadline");
                continue;
            };
            let action = black_box(self.set.poll_deadline(key, self.now));
            if let Some(Action::SendHeartbeat { .. }) = action {
                self.set.on_heartbeat_sent(key, self.now);
                return;
            }
        }
    }
}

pub(crate) fn heartbeat_set(group: &mut Group<'_>, size: u32) {
    let label = |calls: &str| format!("heartbeat-core {}: {calls}", version("heartbeat-core"));
    let mut idle = IdleMembers::new(size);
    group.line("nothing", "nothing but the look-up of a key", 1, |bencher| {
        let mut random = Random::new();
        bencher.iter(|| idle.keys[random.below(idle.keys.len())]);
    });
    // In segments like those of a set, so that the allocator does not use large pages.
    let touch = "one of as many entries of 44 bytes, in segments of 256, is written to";
    group.line("touch", touch, 1, |bencher| {
        let count = idle.keys.len();
        let mut segments: Vec<_> =
            (0..count.div_ceil(256)).map(|_| vec![[1u32; 11]; 256]).collect();
        let places: Vec<usize> = (0..count).collect();
        let mut random = Random::new();
        bencher.iter(|| {
            let place = places[random.below(count)];
            let entry = &mut segments[place / 256][place % 256];
            entry[0] ^= 1;
            black_box(entry);
        });
    });
    group.line("on-send", label("on_send"), 1, |bencher| {
        let mut random = Random::new();
        bencher.iter(|| {
            let key = idle.keys[random.below(idle.keys.len())];
            black_box(idle.set.on_send(black_box(key), idle.now))
        });
    });
    let due = label("pop_due, poll_deadline, on_heartbeat_sent");
    group.line("due", due, 1, |bencher| {
        bencher.iter(|| idle.send_heartbeat());
    });
    group.line("insert", label("insert, poll_deadline"), 1, |bencher| {
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let start = Instant::now();
                let keys: [Option<Key>; BATCH] =
                    std::array::from_fn(|nth| (nth < count).then(|| idle.insert()));
                let taken = start.elapsed();
                for key in keys.into_iter().flatten() {
                    idle.set.remove(key);
                }
                taken
            })
        });
    });
    group.line("remove", label("remove"), 1, |bencher| {
        let mut random = Random::new();
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let places: Vec<usize> = random.different(idle.keys.len(), count);
                let start = Instant::now();
                for &place in &places {
                    black_box(idle.set.remove(idle.keys[place]));
                }
                let taken = start.elapsed();
                for place in places {
                    idle.keys[place] = idle.insert();
                }
                taken
            })
        });
    });
}
