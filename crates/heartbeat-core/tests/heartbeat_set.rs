//! Random histories of a set, compared with single heartbeats of the same granularity.

#![cfg(feature = "alloc")]

mod reference_set;

use std::time::Duration;

use heartbeat_core::{Config, HeartbeatSet, Jitter};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use reference_set::{At, SetOp, SetTime, SetWithReference};

/// Below 2^31 nanoseconds giving up is exact, as in a single heartbeat.
const LONGEST_LIMIT: u64 = 1 << 31;

fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        1 => (0u64..300).prop_map(Duration::from_nanos),
        3 => (0u64..40).prop_map(|n| Duration::from_millis(50 * n)),
        2 => (0u64..LONGEST_LIMIT).prop_map(Duration::from_nanos),
    ]
}

fn interval() -> impl Strategy<Value = Duration> {
    prop_oneof![
        1 => Just(Duration::ZERO),
        1 => Just(Duration::MAX),
        2 => (1u64..300).prop_map(Duration::from_nanos),
        6 => (1u64..20).prop_map(|n| Duration::from_millis(50 * n)),
        2 => (0u64..LONGEST_LIMIT).prop_map(Duration::from_nanos),
    ]
}

fn limit() -> impl Strategy<Value = Duration> {
    prop_oneof![3 => Just(Duration::ZERO), 2 => duration(), 1 => Just(Duration::MAX)]
}

fn config() -> impl Strategy<Value = Config> {
    let jitter = prop_oneof![3 => Just(0u16), 2 => any::<u16>(), 1 => Just(u16::MAX)];
    (interval(), jitter, limit(), limit(), any::<bool>(), any::<u32>()).prop_map(
        |(interval, jitter, give_up, stall, immediate_first, seed)| {
            let jitter = Jitter::try_from(f32::from(jitter) / 65536.0).expect("below one");
            Config::every(interval)
                .with_jitter(jitter)
                .with_give_up_after(give_up)
                .with_stall_after(stall)
                .with_immediate_first(immediate_first)
                .with_seed(seed)
        },
    )
}

fn when() -> impl Strategy<Value = SetTime> {
    let leap = (0u64..40_000_000).prop_map(Duration::from_secs);
    prop_oneof![
        3 => Just(SetTime::Same),
        6 => duration().prop_map(SetTime::Later),
        2 => duration().prop_map(SetTime::Earlier),
        8 => Just(SetTime::OnTime),
        3 => duration().prop_map(SetTime::BeforeDeadline),
        3 => duration().prop_map(SetTime::AfterDeadline),
        1 => leap.prop_map(SetTime::Later),
    ]
}

fn op(configs: Vec<Config>) -> impl Strategy<Value = SetOp> {
    let nth = any::<prop::sample::Index>().prop_map(|index| index.index(1 << 16));
    prop_oneof![
        6 => (prop::sample::select(configs), when()).prop_map(|(it, when)| SetOp::Insert(it, when)),
        3 => nth.clone().prop_map(SetOp::Remove),
        8 => (nth.clone(), when()).prop_map(|(nth, when)| SetOp::Send(nth, when)),
        3 => (nth.clone(), when()).prop_map(|(nth, when)| SetOp::Bytes(nth, when)),
        6 => (nth.clone(), when()).prop_map(|(nth, when)| SetOp::Sent(nth, when)),
        1 => nth.clone().prop_map(SetOp::Failed),
        1 => nth.clone().prop_map(SetOp::Stop),
        3 => (nth.clone(), when()).prop_map(|(nth, when)| SetOp::Poll(nth, when)),
        8 => when().prop_map(SetOp::PopAndPoll),
        2 => when().prop_map(SetOp::PopOnly),
        12 => when().prop_map(SetOp::Drain),
        2 => nth.prop_map(SetOp::Stale),
    ]
}

fn history() -> impl Strategy<Value = (At, Vec<SetOp>)> {
    let ops = prop::collection::vec(config(), 1..5)
        .prop_flat_map(|configs| prop::collection::vec(op(configs), 0..150));
    (duration(), ops)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2048,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn t15_each_member_behaves_like_a_single_heartbeat((epoch, ops) in history()) {
        let mut both = SetWithReference::new(epoch);
        for op in ops {
            both.play(op);
        }
    }

    #[test]
    fn t7_t8_no_instant_causes_a_panic_or_an_endless_loop(
        configs in prop::collection::vec(config(), 1..20),
        nanos in prop::collection::vec(prop_oneof![
            Just(Duration::MAX),
            any::<u64>().prop_map(Duration::from_nanos),
            ((1u64 << 61) - 100..(1 << 61) + 100).prop_map(Duration::from_nanos),
        ], 1..20),
    ) {
        let mut set = HeartbeatSet::new(At::ZERO);
        let mut keys = Vec::new();
        for (config, &now) in configs.iter().zip(nanos.iter().cycle()) {
            keys.push(set.insert(config, now, ()).expect("not full"));
        }
        for now in nanos {
            for _ in 0..=keys.len() {
                let Some(key) = set.pop_due(now) else { break };
                let _ = set.poll_deadline(key, now);
                set.on_heartbeat_sent(key, now);
            }
            prop_assert_eq!(set.pop_due(now), None, "a member was popped twice");
        }
    }
}

#[test]
fn t15_many_intervals_share_wheels() {
    let mut both = SetWithReference::new(At::ZERO);
    for n in 0..500 {
        let config = Config::every(Duration::from_nanos(1_000_000_000 + 1000 * n));
        both.play(SetOp::Insert(config, SetTime::Same));
        if n % 7 == 0 {
            both.play(SetOp::Drain(SetTime::OnTime));
        }
    }
    for n in 0..500 {
        both.play(SetOp::Drain(SetTime::OnTime));
        both.play(SetOp::Sent(n, SetTime::Same));
        both.play(SetOp::Remove(3 * n));
    }
}
