//! What single calls of a fleet take, and of tokio-util's `DelayQueue`: not only in the middle, but at
//! worst. README.md tells how to run and read it.

mod idle;

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tokio::runtime;

use idle::{INTERVAL, Idle, Queue, Random, SIZES};

/// How many of each are timed, so that a hundred are beyond p99.99.
const CALLS: usize = 1_000_000;

/// How many are let go before as many are taken in again.
const CHURN: usize = 250;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    let _entered = runtime.enter();

    let clock = cost_of_the_clock();
    println!("ns per call, less the {} ns that reading the clock takes", clock.as_nanos());
    println!("{:34} {:>6} {:>8} {:>8} {:>8} {:>8}", "", "size", "p50", "p99", "p99.99", "p50/1k");
    let mut medians: Vec<(&str, f64)> = Vec::new();
    for (size, name) in SIZES {
        for (line, mut times) in floor(size).into_iter().chain(fleet(size)).chain(queue(size)) {
            let [p50, p99, p9999] = times.percentiles(clock);
            let small = medians.iter().find(|(other, _)| *other == line).map(|(_, p50)| *p50);
            let over = small.map(|small| format!("{:.1}", p50 / small)).unwrap_or_default();
            println!("{line:34} {name:>6} {p50:8.0} {p99:8.0} {p9999:8.0} {over:>8}");
            medians.push((line, p50));
        }
    }
    Ok(())
}

type Line = (&'static str, Times);

/// What no structure can go below: 28 bytes of a random place are changed.
fn floor(size: u32) -> [Line; 1] {
    let mut records = vec![[1u32; 7]; size as usize];
    let (mut random, mut times) = (Random::new(), Times::new());
    for _ in 0..CALLS {
        let place = random.below(records.len());
        times.of(|| {
            let record = black_box(&mut records[place]);
            record[0] = record[6].wrapping_add(1);
        });
    }
    [("a record of 28 bytes in a Vec", times)]
}

fn fleet(size: u32) -> [Line; 4] {
    let mut idle = Idle::new(size);
    let mut random = Random::new();
    let [mut sends, mut removes, mut inserts, mut beats] = [(); 4].map(|()| Times::new());
    for _ in 0..CALLS {
        let key = idle.keys[random.below(idle.keys.len())];
        sends.of(|| idle.fleet.on_send(key, idle.now));
    }
    for _ in 0..CALLS / CHURN {
        let places = random.different(idle.keys.len(), CHURN);
        for &place in &places {
            let key = idle.keys[place];
            removes.of(|| idle.fleet.remove(key));
        }
        for &place in &places {
            inserts.of(|| idle.keys[place] = idle.insert());
        }
    }
    for _ in 0..CALLS {
        beats.of(|| idle.take_due());
    }
    [
        ("Fleet: on_send", sends),
        ("Fleet: remove", removes),
        ("Fleet: insert, poll_deadline", inserts),
        ("Fleet: take_due, poll_deadline, …", beats),
    ]
}

fn queue(size: u32) -> [Line; 3] {
    let mut queue = Queue::new(size);
    let mut random = Random::new();
    let [mut resets, mut removes, mut inserts] = [(); 3].map(|()| Times::new());
    for _ in 0..CALLS {
        let key = &queue.keys[random.below(queue.keys.len())];
        resets.of(|| queue.queue.reset(key, INTERVAL));
    }
    for _ in 0..CALLS / CHURN {
        let places = random.different(queue.keys.len(), CHURN);
        for &place in &places {
            let key = &queue.keys[place];
            removes.of(|| queue.queue.remove(key));
        }
        for &place in &places {
            inserts.of(|| queue.keys[place] = queue.insert());
        }
    }
    [
        ("DelayQueue: reset", resets),
        ("DelayQueue: remove", removes),
        ("DelayQueue: insert", inserts),
    ]
}

/// How long calls took, each by itself.
struct Times(Vec<Duration>);

impl Times {
    fn new() -> Self {
        Self(Vec::with_capacity(CALLS))
    }

    fn of<R>(&mut self, call: impl FnOnce() -> R) {
        let start = Instant::now();
        let _ = black_box(call());
        self.0.push(start.elapsed());
    }

    /// The median, p99 and p99.99 in nanoseconds, without what reading the clock took.
    fn percentiles(&mut self, clock: Duration) -> [f64; 3] {
        self.0.sort_unstable();
        [5_000, 9_900, 9_999].map(|part| {
            let time = self.0[self.0.len() * part / 10_000];
            time.saturating_sub(clock).as_secs_f64() * 1e9
        })
    }
}

/// What a call that does nothing seems to take.
fn cost_of_the_clock() -> Duration {
    let mut times = Times::new();
    for _ in 0..CALLS {
        times.of(|| ());
    }
    times.0.sort_unstable();
    times.0[CALLS / 2]
}
