//! T13: no call allocates. A program without a test harness, because the threads of the harness
//! allocate too.

use std::alloc::System;
use std::time::Duration;

use heartbeat_core::{Config, Heartbeat, Jitter, Watchdog};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let opened = Duration::ZERO;
    let allocations = Region::new(ALLOCATOR);

    let jitter = Jitter::try_from(0.5).expect("a fraction");
    let config = Config::every(Duration::from_secs(10))
        .with_jitter(jitter)
        .with_give_up_after(Duration::from_secs(60))
        .with_stall_after(Duration::from_secs(5));
    let mut heartbeat = Heartbeat::new(&config, opened).with_granularity(Duration::from_millis(1));
    let mut watchdog = Watchdog::after_missed(3, Duration::from_secs(10), opened);
    for second in 0..1000 {
        let now = Duration::from_secs(second);
        let _ = (heartbeat.poll_deadline(now), watchdog.poll_deadline(now));
        match second % 50 {
            0 => heartbeat.on_send(now),
            20 => heartbeat.on_heartbeat_sent(now),
            30 => heartbeat.on_bytes(now),
            40 => watchdog.on_receive(now),
            _ => {}
        }
    }
    heartbeat.on_heartbeat_failed();
    heartbeat.stop();
    watchdog.stop();

    let change = allocations.change();
    assert_eq!(change.allocations + change.reallocations, 0, "{change:?}");

    drop(std::hint::black_box(vec![0u8; 1]));
    assert_eq!(allocations.change().allocations, 1, "the allocator counts");
    println!("T13: no call allocates");
}
