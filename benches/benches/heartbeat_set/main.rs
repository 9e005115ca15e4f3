//! The cost of the calls of a `HeartbeatSet` with a thousand, a hundred thousand and ten million members, compared with
//! two other timer wheels. README.md describes how to run and read it.

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

/// Calls per batch where each batch has to be undone before the next.
const BATCH: usize = 500;

/// The value of a member, as large as a waker.
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
    let is_full = bench.finish()?;
    if is_full { calls::one_by_one(sizes) } else { Ok(()) }
}

/// Runs `iterations` calls in batches of at most [`BATCH`], and returns the sum of the durations that `batch` returns.
fn in_batches(iterations: u64, mut batch: impl FnMut(usize) -> Duration) -> Duration {
    let mut left = usize::try_from(iterations).expect("fits");
    let mut elapsed = Duration::ZERO;
    while left > 0 {
        let count = left.min(BATCH);
        elapsed += batch(count);
        left -= count;
    }
    elapsed
}
