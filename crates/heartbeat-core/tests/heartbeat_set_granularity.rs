//! The granularity of a set with many different intervals.

#![cfg(feature = "alloc")]

use std::time::Duration;

use heartbeat_core::{Config, HeartbeatSet};

#[test]
fn t15_the_33rd_interval_shares_a_granularity_and_the_32nd_does_not() {
    let mut set = HeartbeatSet::new(Duration::ZERO);
    for n in 1..=33 {
        let exact = n * Duration::from_micros(1); // a 64th of the interval
        let key = set.insert(&Config::every(64 * exact), Duration::ZERO, n).expect("room");
        let slot = set.granularity(key).expect("a member") + Duration::from_nanos(1);
        let expected = if n <= 32 { exact } else { Duration::from_nanos(1 << 15) };
        assert_eq!(slot, expected, "interval {n}");
    }
}
