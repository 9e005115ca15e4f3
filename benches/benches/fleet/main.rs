//! What a fleet's calls cost at a thousand, a hundred thousand and ten million members, beside
//! tokio-util's `DelayQueue`. README.md tells how to run and read it.

mod peer;

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use heartbeat_core::{Action, Config, Fleet, Key};
use tokio::runtime;

const SIZES: [(u32, &str); 3] = [(1_000, "1k"), (100_000, "100k"), (10_000_000, "10M")];

const INTERVAL: Duration = Duration::from_secs(15);

/// Calls of one sample, where what they do has to be undone before the next.
const BATCH: usize = 500;

/// What a member's owner keeps with it: as much as a waker.
type Value = [u64; 2];

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

/// Members that were opened one after the other within an interval, and their keys.
struct Idle {
    fleet: Fleet<Duration, Value>,
    keys: Vec<Key>,
    now: Duration,
}

impl Idle {
    fn new(size: u32) -> Self {
        let mut fleet = Fleet::new(Duration::ZERO);
        let mut now = Duration::ZERO;
        let keys = (0..size).map(|n| {
            now = INTERVAL * n / size;
            let key = fleet.insert(&Config::every(INTERVAL), now, [0; 2]).expect("there is room");
            let _ = fleet.poll_deadline(key, now);
            key
        });
        let keys = keys.collect();
        Self { fleet, keys, now }
    }

    fn insert(&mut self) -> Key {
        let config = Config::every(INTERVAL);
        let key = self.fleet.insert(&config, self.now, [0; 2]).expect("there is room");
        let _ = black_box(self.fleet.poll_deadline(key, self.now));
        key
    }

    /// Takes one member that is due, and lets it beat; the time goes on when there is nobody else.
    fn beat(&mut self) {
        loop {
            let Some(key) = self.fleet.take_due(self.now) else {
                self.now = self.fleet.next_deadline().expect("all of them beat");
                continue;
            };
            let action = black_box(self.fleet.poll_deadline(key, self.now));
            if let Some(Action::SendHeartbeat { .. }) = action {
                self.fleet.on_heartbeat_sent(key, self.now);
                return;
            }
        }
    }
}

fn fleet(group: &mut BenchmarkGroup<'_, WallTime>, size: u32) {
    group.bench_function("nothing but the look-up of a key", |bencher| {
        let idle = Idle::new(size);
        let mut random = Random::new();
        bencher.iter(|| idle.keys[random.below(idle.keys.len())]);
    });
    group.bench_function("on_send", |bencher| {
        let mut idle = Idle::new(size);
        let mut random = Random::new();
        bencher.iter(|| {
            let key = idle.keys[random.below(idle.keys.len())];
            black_box(idle.fleet.on_send(black_box(key), idle.now))
        });
    });
    group.bench_function("take_due, poll_deadline, on_heartbeat_sent", |bencher| {
        let mut idle = Idle::new(size);
        bencher.iter(|| idle.beat());
    });
    group.bench_function("insert, poll_deadline", |bencher| {
        let mut idle = Idle::new(size);
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let start = Instant::now();
                let keys: [Option<Key>; BATCH] =
                    std::array::from_fn(|nth| (nth < count).then(|| idle.insert()));
                let taken = start.elapsed();
                for key in keys.into_iter().flatten() {
                    idle.fleet.remove(key);
                }
                taken
            })
        });
    });
    group.bench_function("remove", |bencher| {
        let mut idle = Idle::new(size);
        let mut random = Random::new();
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let places: Vec<usize> = random.different(idle.keys.len(), count);
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

/// A sequence of numbers without a pattern that a prefetcher could guess (xorshift).
struct Random(u64);

impl Random {
    fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let end = u128::try_from(end).expect("at most 64 bits");
        usize::try_from((u128::from(self.0) * end) >> 64).expect("below the end")
    }

    /// So many different numbers below `end`.
    fn different(&mut self, end: usize, count: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = Vec::with_capacity(count);
        let part = end / count;
        numbers.extend((0..count).map(|nth| nth * part + self.below(part)));
        for nth in (1..count).rev() {
            let other = self.below(nth + 1);
            numbers.swap(nth, other); // not in the order of memory
        }
        numbers
    }
}
