//! The cost of the calls of a `HeartbeatSet` with a thousand, a hundred thousand and ten million members, beside two
//! other timer wheels. README.md describes how to run and read it.

mod calls;
mod delay_queue;
mod hash_wheel;
mod members;

use std::error::Error;
use std::time::Duration;

use heartbeat_benches::{Bench, is_test};
use tokio::runtime;

const SIZES: [(u32, &str); 3] = [(1_000, "1k"), (100_000, "100k"), (10_000_000, "10M")];

const INTERVAL: Duration = Duration::from_secs(15);

/// Calls of one sample, where what they do has to be undone before the next.
const BATCH: usize = 500;

/// What a member's owner keeps with it: as much as a waker.
type Value = [u64; 2];

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    let _entered = runtime.enter();

    let sizes = if is_test() { &SIZES[..2] } else { &SIZES[..] };
    let mut bench = Bench::new("heartbeat_set");
    for &(size, name) in sizes {
        let mut group = bench.costs(format!("set-{name}"), format!("{name} members"));
        members::heartbeat_set(&mut group, size);
        delay_queue::delay_queue(&mut group, size);
        hash_wheel::hash_wheel(&mut group, size);
    }
    let is_whole = bench.finish()?;
    if is_whole { calls::one_by_one(sizes) } else { Ok(()) }
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
