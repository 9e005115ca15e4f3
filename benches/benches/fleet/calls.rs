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

    let clock = clock().figures();
    println!("nanoseconds per call, less the {:.0} that reading the clock takes", clock.mean);
    print!("{:34} {:>5} {:>6} {:>6} {:>6} ", "", "size", "mean", "p50", "p99");
    println!("{:>7} {:>8} {:>6}", "p99.99", "x floor", "x 1k");
    let mut small: Vec<f64> = Vec::new(); // the means of the first size
    for (size, name) in SIZES {
        let lines = fleet(size).into_iter().chain(queue(size));
        let mut floor = None;
        for (nth, (line, times)) in lines.enumerate() {
            let Figures { mean, p50, p99, p9999 } = times.figures().less(&clock);
            let floor = *floor.get_or_insert(mean);
            if small.len() == nth {
                small.push(mean);
            }
            print!("{line:34} {name:>5} {mean:6.1} {p50:6.0} {p99:6.0} ");
            println!("{p9999:7.0} {:8.1} {:6.1}", mean / floor, mean / small[nth]);
        }
    }
    Ok(())
}

type Line = (&'static str, Times);

fn fleet(size: u32) -> [Line; 5] {
    let mut idle = Idle::new(size);
    let mut random = Random::new();
    let [mut floor, mut sends, mut removes, mut inserts, mut beats] =
        [(); 5].map(|()| Times::new());
    let mut records = vec![[1u32; 7]; idle.keys.len()];
    for _ in 0..CALLS {
        let place = random.below(records.len());
        floor.of(|| {
            let record = black_box(&mut records[place]);
            record[0] = record[6].wrapping_add(1);
        });
        let key = idle.keys[random.below(idle.keys.len())];
        sends.of(|| idle.fleet.on_send(key, idle.now));
    }
    drop(records);
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
        ("a record of 28 bytes in a Vec", floor),
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

    fn figures(mut self) -> Figures {
        self.0.sort_unstable();
        let nanos = |time: &Duration| time.as_secs_f64() * 1e9;
        let [p50, p99, p9999] =
            [5_000, 9_900, 9_999].map(|part| nanos(&self.0[CALLS * part / 10_000]));
        let middle = &self.0[CALLS / 10..CALLS - CALLS / 10];
        let mean =
            nanos(&middle.iter().sum()) / f64::from(u32::try_from(middle.len()).expect("few"));
        Figures { mean, p50, p99, p9999 }
    }
}

/// What calls took, in nanoseconds.
struct Figures {
    /// Of the middle four fifths: finer than the clock's resolution.
    mean: f64,
    p50: f64,
    p99: f64,
    p9999: f64,
}

impl Figures {
    /// Without what reading the clock takes.
    fn less(self, clock: &Self) -> Self {
        let [p50, p99, p9999] =
            [self.p50, self.p99, self.p9999].map(|time| (time - clock.p50).max(0.0));
        Self { mean: (self.mean - clock.mean).max(0.1), p50, p99, p9999 }
    }
}

/// Calls that do nothing.
fn clock() -> Times {
    let mut times = Times::new();
    for _ in 0..CALLS {
        times.of(|| ());
    }
    times
}
