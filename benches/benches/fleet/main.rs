//! What a fleet's calls cost at a thousand, a hundred thousand and ten million members, beside
//! tokio-util's `DelayQueue`. README.md tells how to run and read it.

mod idle;
mod peer;

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use tokio::runtime;

use idle::{Idle, Random, SIZES};

/// Calls of one sample, where what they do has to be undone before the next.
const BATCH: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("criterion");
    let mut criterion = Criterion::default()
        .output_directory(&directory)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .sample_size(30)
        .configure_from_args();
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    let _entered = runtime.enter();

    for (size, name) in SIZES {
        fleet(&mut criterion.benchmark_group(format!("fleet/{name}")), size);
        peer::delay_queue(&mut criterion.benchmark_group(format!("delay-queue/{name}")), size);
    }
    criterion.final_summary();
    Ok(())
}

fn fleet(group: &mut BenchmarkGroup<'_, WallTime>, size: u32) {
    let mut idle = Idle::new(size);
    let mut random = Random::new();
    group.bench_function("nothing but the look-up of a key", |bencher| {
        bencher.iter(|| idle.keys[random.below(idle.keys.len())]);
    });
    group.bench_function("a record of 28 bytes in a Vec", |bencher| {
        let mut records = vec![[1u32; 7]; size as usize];
        bencher.iter(|| {
            let place = random.below(idle.keys.len());
            black_box(idle.keys[place]);
            let record = black_box(&mut records[place]);
            record[0] = record[6].wrapping_add(1);
        });
    });
    group.bench_function("on_send", |bencher| {
        bencher.iter(|| {
            let key = idle.keys[random.below(idle.keys.len())];
            black_box(idle.fleet.on_send(black_box(key), idle.now))
        });
    });
    group.bench_function("insert, poll_deadline", |bencher| {
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let mut keys = Vec::with_capacity(count);
                let start = Instant::now();
                keys.extend((0..count).map(|_| idle.insert()));
                let taken = start.elapsed();
                for key in keys {
                    idle.fleet.remove(key);
                }
                taken
            })
        });
    });
    group.bench_function("remove", |bencher| {
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let places = random.different(idle.keys.len(), count);
                let start = Instant::now();
                for &place in &places {
                    black_box(idle.fleet.remove(idle.keys[place]));
                }
                let taken = start.elapsed();
                for place in places {
                    idle.keys[place] = idle.insert();
                }
                taken
            })
        });
    });
    // The last one: the time goes on.
    group.bench_function("take_due, poll_deadline, on_heartbeat_sent", |bencher| {
        bencher.iter(|| while !idle.take_due() {});
    });
}

/// Does something so many times, no more than [`BATCH`] at once; adds up what each batch took.
fn in_batches(iterations: u64, mut batch: impl FnMut(usize) -> Duration) -> Duration {
    let mut left = usize::try_from(iterations).expect("criterion asks for fewer");
    let mut taken = Duration::ZERO;
    while left > 0 {
        let count = left.min(BATCH);
        taken += batch(count);
        left -= count;
    }
    taken
}
