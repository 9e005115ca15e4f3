//! T15: what a set allocates, and when. A program without a test harness, because the threads of the
//! harness allocate too.

use std::alloc::System;
use std::task::Waker;
use std::time::Duration;

use heartbeat_core::{Config, HeartbeatSet, Key};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MEMBERS: usize = 1_000_000;

/// The bytes that were allocated and not freed since the start of the region.
fn bytes_in_use(region: &Region<'_, System>) -> usize {
    let change = region.change();
    // A reallocation is counted in both.
    change.bytes_allocated - change.bytes_deallocated
}

fn main() {
    let opened = Duration::ZERO;
    let config = Config::every(Duration::from_secs(16)).with_give_up_after(Duration::from_secs(60));
    let mut keys: Vec<Key> = Vec::with_capacity(MEMBERS);

    let allocated = Region::new(ALLOCATOR);
    let mut set = HeartbeatSet::new(opened);
    for _ in 0..MEMBERS {
        let key = set.insert(&config, opened, Waker::noop().clone()).expect("not full");
        keys.push(key);
    }
    let all = bytes_in_use(&allocated);
    assert!(all / MEMBERS == 44, "{all} bytes");

    let meanwhile = Region::new(ALLOCATOR);
    for second in 0..70u8 {
        let now = Duration::from_secs(second.into());
        for &key in keys.iter().skip(second.into()).step_by(64) {
            set.on_send(key, now);
        }
        while let Some(key) = set.pop_due(now) {
            let _ = (set.poll_deadline(key, now), set.next_deadline());
            set.on_heartbeat_sent(key, now);
        }
    }
    let change = meanwhile.change();
    let calls = change.allocations + change.reallocations + change.deallocations;
    assert_eq!(calls, 0, "only insert and remove allocate: {change:?}");

    for &key in &keys[1..] {
        set.remove(key);
    }
    let left = bytes_in_use(&allocated);
    assert!(left < all / 100, "{left} bytes remain after the surge");
    drop(set);
    assert_eq!(bytes_in_use(&allocated), 0);
    println!("T15: {all} bytes for {MEMBERS} members with a waker each, {left} after the surge");
}
