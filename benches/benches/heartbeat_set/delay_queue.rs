//! tokio-util's `DelayQueue`. Its clock is tokio's and cannot be controlled here, so entries that fall due are not
//! measured.

use std::hint::black_box;
use std::time::Instant;

use heartbeat_benches::{Group, Random, version};
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

use crate::{BATCH, INTERVAL, Value, in_batches};

/// Returns a queue of `size` entries that fall due after one to two intervals, in random order.
pub(crate) fn filled(size: u32) -> (DelayQueue<Value>, Vec<Key>) {
    let mut random = Random::new();
    let mut queue = DelayQueue::new();
    let insert = |_| queue.insert([0; 2], INTERVAL + random.duration(INTERVAL));
    let keys = (0..size).map(insert).collect();
    (queue, keys)
}

pub(crate) fn delay_queue(group: &mut Group<'_>, size: u32) {
    let label = |call: &str| format!("tokio-util {}: DelayQueue::{call}", version("tokio-util"));
    let (mut queue, mut keys) = filled(size);
    group.line("delay-queue-reset", label("reset"), 1, |bencher| {
        let mut random = Random::new();
        bencher.iter(|| queue.reset(black_box(&keys[random.below(keys.len())]), INTERVAL));
    });
    group.line("delay-queue-insert", label("insert"), 1, |bencher| {
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let start = Instant::now();
                let keys: [Option<Key>; BATCH] = std::array::from_fn(|nth| {
                    (nth < count).then(|| queue.insert([0; 2], INTERVAL))
                });
                let taken = start.elapsed();
                for key in keys.into_iter().flatten() {
                    queue.remove(&key);
                }
                taken
            })
        });
    });
    group.line("delay-queue-remove", label("remove"), 1, |bencher| {
        let mut random = Random::new();
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let places = random.different(keys.len(), count);
                let start = Instant::now();
                for &place in &places {
                    black_box(queue.remove(&keys[place]));
                }
                let taken = start.elapsed();
                for place in places {
                    keys[place] = queue.insert([0; 2], INTERVAL);
                }
                taken
            })
        });
    });
}
