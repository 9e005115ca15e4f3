//! tokio-util's `DelayQueue`, the wheel at hand. Its time is tokio's, which goes on by itself, so what
//! falls due is not measured.

use std::hint::black_box;
use std::time::Instant;

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;

use crate::idle::{INTERVAL, Queue, Random};
use crate::in_batches;

pub(crate) fn delay_queue(group: &mut BenchmarkGroup<'_, WallTime>, size: u32) {
    let mut queue = Queue::new(size);
    let mut random = Random::new();
    group.bench_function("reset", |bencher| {
        bencher.iter(|| {
            let key = &queue.keys[random.below(queue.keys.len())];
            queue.queue.reset(black_box(key), INTERVAL);
        });
    });
    group.bench_function("insert", |bencher| {
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let mut keys = Vec::with_capacity(count);
                let start = Instant::now();
                keys.extend((0..count).map(|_| queue.insert()));
                let taken = start.elapsed();
                for key in keys {
                    queue.queue.remove(&key);
                }
                taken
            })
        });
    });
    group.bench_function("remove", |bencher| {
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let places = random.different(queue.keys.len(), count);
                let start = Instant::now();
                for &place in &places {
                    black_box(queue.queue.remove(&queue.keys[place]));
                }
                let taken = start.elapsed();
                for place in places {
                    queue.keys[place] = queue.insert();
                }
                taken
            })
        });
    });
}
