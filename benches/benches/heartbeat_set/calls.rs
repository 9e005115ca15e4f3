//! Times single calls, to show the slowest calls, and the distance to a lower bound.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use heartbeat_benches::{Calls, Random, calls_table, write};

use crate::INTERVAL;
use crate::delay_queue::filled;
use crate::members::IdleMembers;

/// Calls of each function. A ten-thousandth of them is a hundred calls.
const CALLS: usize = 1_000_000;

/// Members that are removed before as many are inserted.
const CHURN: usize = 250;

/// Measures, prints the table, and stores it.
pub(crate) fn one_by_one(sizes: &[(u32, &str)]) -> Result<(), Box<dyn Error>> {
    let clock = clock_reads().figures("", "");
    let mut all = Vec::new();
    for &(size, members) in sizes {
        let lines = heartbeat_set(size).into_iter().chain(queue(size));
        all.extend(lines.map(|(call, times)| without_clock(times.figures(members, call), &clock)));
    }
    println!("\nset-calls: each call timed by itself, in nanoseconds\n{}", calls_table(&all));
    write("heartbeat_set_calls", &all)
}

fn heartbeat_set(size: u32) -> [(&'static str, Times); 5] {
    let mut idle = IdleMembers::new(size);
    let mut random = Random::new();
    let [mut floor, mut sends, mut removes, mut inserts, mut heartbeats] =
        [(); 5].map(|()| Times::new());
    let mut records = vec![[1u32; 7]; idle.keys.len()];
    for _ in 0..CALLS {
        let place = random.below(records.len());
        floor.of(|| {
            let record = black_box(&mut records[place]);
            record[0] = record[6].wrapping_add(1);
        });
        let key = idle.keys[random.below(idle.keys.len())];
        sends.of(|| idle.set.on_send(key, idle.now));
    }
    drop(records);
    for _ in 0..CALLS / CHURN {
        let places = random.different(idle.keys.len(), CHURN);
        for &place in &places {
            let key = idle.keys[place];
            removes.of(|| idle.set.remove(key));
        }
        for &place in &places {
            inserts.of(|| idle.keys[place] = idle.insert());
        }
    }
    for _ in 0..CALLS {
        heartbeats.of(|| idle.send_heartbeat());
    }
    [
        ("a record of 28 bytes in a Vec is changed", floor),
        ("on_send", sends),
        ("remove", removes),
        ("insert, poll_deadline", inserts),
        ("pop_due, poll_deadline, on_heartbeat_sent", heartbeats),
    ]
}

fn queue(size: u32) -> [(&'static str, Times); 3] {
    let (mut queue, mut keys) = filled(size);
    let mut random = Random::new();
    let [mut resets, mut removes, mut inserts] = [(); 3].map(|()| Times::new());
    for _ in 0..CALLS {
        let key = &keys[random.below(keys.len())];
        resets.of(|| queue.reset(key, INTERVAL));
    }
    for _ in 0..CALLS / CHURN {
        let places = random.different(keys.len(), CHURN);
        for &place in &places {
            removes.of(|| queue.remove(&keys[place]));
        }
        for &place in &places {
            inserts.of(|| keys[place] = queue.insert([0; 2], INTERVAL));
        }
    }
    [
        ("DelayQueue::reset", resets),
        ("DelayQueue::remove", removes),
        ("DelayQueue::insert", inserts),
    ]
}

/// Times empty calls, which take as long as reading the clock.
fn clock_reads() -> Times {
    let mut times = Times::new();
    for _ in 0..CALLS {
        times.of(|| ());
    }
    times
}

fn without_clock(calls: Calls, clock: &Calls) -> Calls {
    Calls {
        mean: (calls.mean - clock.mean).max(0.1),
        median: calls.median.saturating_sub(clock.median),
        slow: calls.slow.saturating_sub(clock.median),
        slowest: calls.slowest.saturating_sub(clock.median),
        ..calls
    }
}

/// The durations of single calls.
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

    fn figures(mut self, members: &str, call: &str) -> Calls {
        self.0.sort_unstable();
        let at = |part: usize| self.0[CALLS / 10_000 * part].as_nanos().try_into().expect("fits");
        let [median, slow, slowest] = [5_000, 9_900, 9_999].map(at);
        let middle = &self.0[CALLS / 10..CALLS - CALLS / 10];
        let count = u32::try_from(middle.len()).expect("at most a million");
        let mean = middle.iter().sum::<Duration>().as_secs_f64() * 1e9 / f64::from(count);
        Calls { members: members.into(), call: call.into(), mean, median, slow, slowest }
    }
}
