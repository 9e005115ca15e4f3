//! Each call by itself, to see how far the slowest lie from the rest.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use heartbeat_benches::{Calls, Random, calls_table, write};

use crate::members::Idle;

/// How often each is called: its slowest ten-thousandth are a hundred calls.
const CALLS: usize = 1_000_000;

/// Measures, prints and keeps it.
pub(crate) fn one_by_one(sizes: &[(u32, &str)]) -> Result<(), Box<dyn Error>> {
    let mut all = Vec::new();
    for &(size, members) in sizes {
        let mut idle = Idle::new(size);
        all.extend([
            measure(members, "nothing but two looks at the clock", &mut idle, |_, _| {}),
            measure(members, "on_send", &mut idle, |idle, place| {
                black_box(idle.fleet.on_send(idle.keys[place], idle.now));
            }),
            measure(members, "take_due, poll_deadline, on_heartbeat_sent", &mut idle, |idle, _| {
                idle.beat();
            }),
            measure(members, "remove, insert, poll_deadline", &mut idle, |idle, place| {
                black_box(idle.fleet.remove(idle.keys[place]));
                idle.keys[place] = idle.insert();
            }),
        ]);
    }
    println!("\nfleet-calls: each call timed by itself, in nanoseconds\n{}", calls_table(&all));
    write("fleet_calls", &all)
}

fn measure(
    members: &str,
    call: &str,
    idle: &mut Idle,
    mut each: impl FnMut(&mut Idle, usize),
) -> Calls {
    let mut random = Random::new();
    let mut taken: Vec<u64> = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let place = random.below(idle.keys.len());
        let start = Instant::now();
        each(black_box(idle), black_box(place));
        taken.push(start.elapsed().as_nanos().try_into().expect("it does not take for ever"));
    }
    taken.sort_unstable();
    let (median, slowest) = (taken[CALLS / 2], taken[CALLS - CALLS / 10_000]);
    Calls { members: members.into(), call: call.into(), median, slowest }
}
