use super::segment::SEGMENT;
use super::*;
use crate::{Action, Jitter};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The instant `secs` after the epoch.
const fn at(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn every(interval: Duration) -> Config {
    Config::every(interval)
}

fn set<T>() -> HeartbeatSet<Duration, T> {
    HeartbeatSet::new(at(0))
}

/// Pops and polls all due members, reports their heartbeats as sent, and returns the number of heartbeats.
fn drain<T>(set: &mut HeartbeatSet<Duration, T>, now: Duration) -> usize {
    let mut heartbeats = alloc::vec::Vec::new();
    while let Some(key) = set.pop_due(now) {
        if let Some(Action::SendHeartbeat { .. }) = set.poll_deadline(key, now) {
            heartbeats.push(key);
            assert!(set.on_heartbeat_sent(key, now));
        }
    }
    heartbeats.len()
}

#[test]
fn t15_a_new_member_is_due_at_once() {
    let mut set = set();
    let key = set.insert(&every(secs(64)), at(5), 'a').expect("room");
    assert_eq!(set.next_deadline(), Some(at(0)));
    assert_eq!(set.pop_due(at(5)), Some(key));
    assert_eq!((set.pop_due(at(5)), set.next_deadline()), (None, None));
    assert_eq!(set.poll_deadline(key, at(5)), Some(Action::WaitUntil(at(69))));
    assert_eq!(set.next_deadline(), Some(at(69)));
}

#[test]
fn t15_due_when_the_64th_of_the_deadline_starts_and_never_later() {
    let mut set = set();
    let opened = at(5) + Duration::from_millis(999);
    let key = set.insert(&every(secs(64)), opened, ()).expect("room");
    assert_eq!(set.granularity(key), Some(secs(1) - Duration::from_nanos(1)));
    assert_eq!(drain(&mut set, opened), 0);

    assert_eq!(set.next_deadline(), Some(at(69)));
    assert_eq!(set.pop_due(at(69) - Duration::from_nanos(1)), None);
    assert_eq!(set.pop_due(at(69)), Some(key));
    let early = Action::SendHeartbeat { late: Duration::ZERO };
    assert_eq!(set.poll_deadline(key, at(69)), Some(early));
}

#[test]
fn t15_a_send_moves_no_member_before_its_old_deadline() {
    let mut set = set();
    let key = set.insert(&every(secs(64)), at(0), ()).expect("room");
    assert_eq!(drain(&mut set, at(0)), 0);
    for now in 1..64 {
        assert!(set.on_send(key, at(now)));
        assert_eq!(set.next_deadline(), Some(at(64)));
    }
    assert_eq!(drain(&mut set, at(64)), 0);
    assert_eq!(set.next_deadline(), Some(at(127)));
    assert_eq!(drain(&mut set, at(127)), 1);
}

#[test]
fn t15_a_send_may_be_reported_after_the_member_was_popped() {
    let mut set = set();
    let key = set.insert(&every(secs(64)), at(0), ()).expect("room");
    assert_eq!(drain(&mut set, at(0)), 0);
    assert_eq!(set.pop_due(at(64)), Some(key));
    set.on_send(key, at(40));
    assert_eq!(set.poll_deadline(key, at(64)), Some(Action::WaitUntil(at(104))));
}

#[test]
fn t6_t12_a_report_alone_gives_a_member_a_deadline_again() {
    let config = every(secs(64)).with_give_up_after(secs(100));
    let mut set = set();
    let key = set.insert(&config, at(0), ()).expect("room");
    assert_eq!(drain(&mut set, at(0)), 0);

    assert_eq!(set.pop_due(at(64)), Some(key));
    assert!(matches!(set.poll_deadline(key, at(64)), Some(Action::SendHeartbeat { .. })));
    assert!(set.is_in_flight(key));
    set.on_send(key, at(65)); // cancels it, without a poll
    assert!(!set.is_in_flight(key));
    assert_eq!(drain(&mut set, at(128)), 0);
    assert_eq!(set.next_deadline(), Some(at(129)));
    assert_eq!(drain(&mut set, at(129)), 1);

    assert_eq!(set.pop_due(at(165) - Duration::from_nanos(1)), None);
    assert_eq!(set.pop_due(at(165)), Some(key));
    assert_eq!(set.poll_deadline(key, at(165)), Some(Action::GiveUp));
    set.on_send(key, at(170));
    assert_eq!(drain(&mut set, at(230)), 0);
    assert_eq!(set.next_deadline(), Some(at(234)));
    assert_eq!(drain(&mut set, at(234)), 1);
}

#[test]
fn t12_t20_poll_in_flight_leaves_giving_up_to_the_owner() {
    let config = every(secs(64)).with_give_up_after(secs(100)).with_stall_after(secs(90));
    let mut set = set();
    let keys = [(); 2].map(|()| set.insert(&config, at(0), ()).expect("room"));
    assert_eq!(drain(&mut set, at(0)), 0);
    for key in keys {
        assert!(set.poll_in_flight(key, at(0)), "no heartbeat is in flight");
        assert!(matches!(set.poll_deadline(key, at(64)), Some(Action::SendHeartbeat { .. })));
    }
    assert!(keys.iter().all(|&key| !set.poll_in_flight(key, at(99))), "nothing to do yet");
    assert_eq!(set.next_deadline(), Some(at(100)));

    // The owner has to poll, but the member is not due again and again until it does.
    for _ in 0..3 {
        assert!(keys.iter().all(|&key| set.poll_in_flight(key, at(100))));
        assert!(set.next_deadline() > Some(at(100)));
    }
    let [polled, idle] = keys;
    set.on_heartbeat_sent(polled, at(102));
    assert_eq!(set.poll_deadline(polled, at(102)), Some(Action::GiveUp));
    assert_eq!(set.poll_deadline(polled, at(102)), Some(Action::WaitForever));

    assert_eq!(set.next_deadline(), Some(at(154)));
    assert_eq!(set.pop_due(at(154)), Some(idle));
    assert!(set.poll_in_flight(idle, at(154)) && set.is_stopped(idle));
}

#[test]
fn t9_t10_t20_a_stopped_member_has_no_deadline() {
    let mut set = set();
    let config = every(secs(64)).with_stall_after(secs(32)).with_immediate_first(true);
    let [stopped, failed, stalled] =
        [(); 3].map(|()| set.insert(&config, at(0), ()).expect("room"));
    set.stop(stopped);
    assert_eq!(set.poll_deadline(stopped, at(0)), Some(Action::Stopped));
    for key in [failed, stalled] {
        let action = set.poll_deadline(key, at(0));
        assert_eq!(action, Some(Action::SendHeartbeat { late: Duration::ZERO }));
    }
    set.on_heartbeat_failed(failed);
    assert_eq!(set.poll_deadline(failed, at(1)), Some(Action::Stopped));
    assert_eq!(set.pop_due(at(32)), Some(stalled));
    assert_eq!(set.poll_deadline(stalled, at(32)), Some(Action::Stalled));
    assert!([stopped, failed, stalled].iter().all(|&key| set.is_stopped(key)));
    assert_eq!((set.next_deadline(), set.len()), (None, 3));
}

#[test]
fn t12_t20_short_limits_make_narrow_slots() {
    let hour = every(secs(3600));
    let granularity = |config: &Config| {
        let mut set = set();
        let key = set.insert(config, at(0), ()).expect("room");
        set.granularity(key).expect("a member") + Duration::from_nanos(1)
    };
    assert_eq!(granularity(&hour), secs(3600) / 64);
    assert_eq!(granularity(&hour.with_give_up_after(secs(450))), secs(3600) / 64);
    assert_eq!(granularity(&hour.with_give_up_after(secs(8))), secs(1));
    assert_eq!(granularity(&hour.with_stall_after(secs(8))), secs(1));
    let quarter = Duration::from_millis(250);
    assert_eq!(granularity(&hour.with_stall_after(Duration::from_millis(1))), quarter);
    let short = every(secs(8)).with_stall_after(Duration::from_millis(1));
    assert_eq!(granularity(&short), secs(8) / 64);
    let never = every(Duration::MAX).with_give_up_after(secs(8));
    assert_eq!(granularity(&never), secs(1));
}

#[test]
fn t12_giving_up_after_an_hour_of_heartbeats_is_late_by_microseconds_at_most() {
    let mut set = set();
    let config = every(secs(10)).with_give_up_after(secs(3600));
    let opened = Duration::from_nanos(1_234_567_891);
    let key = set.insert(&config, opened, ()).expect("room");
    let mut now = opened;
    while now < opened + secs(3590) {
        drain(&mut set, now);
        now = set.next_deadline().expect("a deadline");
    }
    let exact = opened + secs(3600);
    let before = set.poll_deadline(key, exact - Duration::from_nanos(1));
    assert!(matches!(before, Some(Action::WaitUntil(_) | Action::SendHeartbeat { .. })));
    let after = set.poll_deadline(key, exact + Duration::from_micros(4));
    assert_eq!(after, Some(Action::GiveUp));
}

#[test]
fn t15_one_interval_has_64_wake_ups_per_interval_for_any_number_of_members() {
    for jitter in [Jitter::NONE, Jitter::try_from(0.1).expect("a fraction")] {
        let interval = secs(15);
        let mut set = set();
        for n in 0..1000u32 {
            let config = every(interval).with_jitter(jitter).with_seed(n);
            let opened = interval / 1000 * n;
            set.insert(&config, opened, ()).expect("room");
            drain(&mut set, opened);
        }
        let (mut now, mut wakes, mut heartbeats) = (interval, 0, 0);
        drain(&mut set, now);
        while let Some(next) = set.next_deadline().filter(|&next| next <= 11 * interval) {
            assert!(next > now, "no busy loop");
            now = next;
            let due = drain(&mut set, now);
            assert!(due > 0, "no wake-up without a heartbeat");
            (wakes, heartbeats) = (wakes + 1, heartbeats + due);
        }
        assert!(wakes <= 10 * 64, "{wakes}");
        assert!(heartbeats >= 10_000, "{heartbeats}");
    }
}

#[test]
fn t15_many_intervals_have_few_wake_ups_together() {
    let mut set = set();
    for opened in (0..600).map(|n| secs(1) / 10 * n) {
        for interval in [15].into_iter().chain(5..=60).map(secs).filter(|&it| opened < it) {
            set.insert(&every(interval), opened, ()).expect("room");
        }
        drain(&mut set, opened);
    }
    let (mut now, mut wakes) = (secs(60), 0);
    drain(&mut set, now);
    while let Some(next) = set.next_deadline().filter(|&next| next <= secs(120)) {
        (now, wakes) = (next, wakes + 1);
        assert!(drain(&mut set, now) > 0, "no wake-up without a heartbeat");
    }
    let (first, others) = (60 / 15 * 64, 60 / 5 * 128);
    assert!(wakes <= first + others, "{wakes}");
}

#[test]
fn stale_keys_are_rejected_and_do_not_reach_later_members() {
    let mut set = set();
    let old = set.insert(&every(secs(1)), at(0), 'a').expect("room");
    let other = set.insert(&every(secs(1)), at(0), 'b').expect("room");
    assert_eq!(set.remove(old), Some('a'));
    let mut keys = alloc::vec![other];
    // The entry is used again after all others of its segment.
    for _ in 0..2 * SEGMENT {
        let new = set.insert(&every(secs(1)), at(0), 'c').expect("room");
        assert!(new != old && set.get(old).is_none() && !set.on_send(old, at(5)));
        keys.push(new);
    }
    assert!(keys.iter().any(|key| key.index() == old.index()), "the entry is used again");
    assert_eq!(set.remove(old), None);
    assert!(keys.iter().all(|&key| set.get(key).is_some()));
}

#[test]
fn memory_is_freed_after_a_surge() {
    let mut set = set();
    let stays = set.insert(&every(secs(1)), at(0), ()).expect("room");
    for round in 0..3 {
        let surge: alloc::vec::Vec<Key> =
            (0..100_000).map(|_| set.insert(&every(secs(15)), at(0), ()).expect("room")).collect();
        assert_eq!(set.arena.allocated(), 391, "round {round}: as many as necessary");
        drain(&mut set, at(1));
        for key in surge {
            assert_eq!(set.remove(key), Some(()));
        }
        assert_eq!(set.arena.allocated(), 2, "round {round}: the one in use, and the cached one");
        assert_eq!((set.len(), set.configs.len()), (1, 1));
    }
    assert!(set.get(stays).is_some());
}

#[test]
fn the_segments_with_the_lowest_numbers_are_filled_first() {
    let mut set = set();
    let keys: alloc::vec::Vec<Key> = (0..10 * u32::from(SEGMENT))
        .map(|_| set.insert(&every(secs(15)), at(0), ()).expect("room"))
        .collect();
    for key in keys.iter().step_by(2) {
        set.remove(*key);
    }
    let index = |key: Key| key.index() / u32::from(SEGMENT);
    for n in 0..5 * u32::from(SEGMENT) {
        let key = set.insert(&every(secs(15)), at(0), ()).expect("room");
        assert_eq!(index(key), n / (u32::from(SEGMENT) / 2));
    }
    assert_eq!(set.arena.allocated(), 10);
}

#[test]
fn t15_the_wheel_of_the_first_interval_is_exact_and_others_are_shared() {
    let mut set = set();
    let keys: alloc::vec::Vec<Key> = (1..2000u64)
        .map(|n| set.insert(&every(Duration::from_micros(n * n * n)), at(0), n).expect("room"))
        .collect();
    assert!((2..=65).contains(&set.slots.wheels()), "{}", set.slots.wheels());
    for (n, &key) in keys.iter().enumerate() {
        let n = n as u64 + 1;
        let slot = set.granularity(key).expect("a member") + Duration::from_nanos(1);
        let exact = Duration::from_nanos(n * n * n * 1000 / 64);
        assert!(slot <= exact && slot > exact / 2, "{n}");
        assert!(n > 1 || slot == exact, "{n}");
    }
    assert_eq!(set.configs.len(), 1999);
    for key in keys {
        set.remove(key);
    }
    let key = set.insert(&every(secs(7)), at(0), 0).expect("room");
    let exact = secs(7) / 64 - Duration::from_nanos(1);
    assert_eq!(set.granularity(key), Some(exact), "an unused wheel is used again");
}

#[test]
fn t15_at_most_96_wheels_while_intervals_come_and_go() {
    let mut set = set();
    let mut keys = alloc::collections::VecDeque::new();
    for n in 1..20_000u64 {
        let interval = Duration::from_nanos((n * 7919) << (n % 40));
        keys.push_back(set.insert(&every(interval), at(0), n).expect("room"));
        if keys.len() > 200 || n % 977 == 0 {
            set.remove(keys.pop_front().expect("not empty"));
        }
        if n % 977 == 0 {
            keys.drain(..).for_each(|key| assert!(set.remove(key).is_some()));
        }
    }
    assert!(set.slots.wheels() <= 96, "{}", set.slots.wheels());
}

#[test]
fn too_many_configurations_are_rejected() {
    let mut set = set();
    let mut first = None;
    for n in 0..=u32::from(u16::MAX) {
        let key = set.insert(&every(Duration::from_micros(n.into())), at(0), ()).expect("room");
        first.get_or_insert(key);
    }
    let full = set.insert(&every(secs(7)), at(0), ()).expect_err("one too many");
    assert!(alloc::format!("{full}").starts_with("the set is full"));
    assert_eq!(set.len(), 65_536);
    set.remove(first.expect("inserted"));
    assert!(set.insert(&every(secs(7)), at(0), ()).is_ok());
}

/// The highest number of members that one call of each kind has read or written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Touched {
    report: usize,
    insert: usize,
    take: usize,
    remove: usize,
    poll: usize,
}

/// Counts the members that a call reads or writes.
fn count<T, R>(
    set: &mut HeartbeatSet<Duration, T>,
    most: &mut usize,
    call: impl FnOnce(&mut HeartbeatSet<Duration, T>) -> R,
) -> R {
    set.arena.touched.clear();
    let answer = call(set);
    *most = set.arena.touched.len().max(*most);
    answer
}

/// Random calls on thousands of members with a mix of intervals.
#[test]
fn t15_no_call_touches_more_members_than_documented() {
    let mut most = Touched::default();
    let mut random = 1u32;
    let mut pick = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random as usize % below
    };
    let intervals = [1, 7, 15, 15, 15, 60, 3600].map(secs);
    let mut set = set();
    let mut keys = alloc::vec::Vec::new();
    let mut now = at(0);
    for _ in 0..400_000 {
        match pick(12) {
            0..4 if keys.len() < 5000 => {
                let config = every(intervals[pick(intervals.len())])
                    .with_give_up_after(secs(200))
                    .with_stall_after(secs(20));
                let key = count(&mut set, &mut most.insert, |it| it.insert(&config, now, ()));
                keys.push(key.expect("room"));
            }
            4 if keys.len() > 4000 => {
                let key = keys.swap_remove(pick(keys.len()));
                count(&mut set, &mut most.remove, |it| it.remove(key)).expect("a member");
            }
            5 if !keys.is_empty() => {
                let key = keys[pick(keys.len())];
                let back = Duration::from_millis(pick(5000) as u64);
                let then = now.saturating_sub(back);
                assert!(count(&mut set, &mut most.report, |it| it.on_send(key, then)));
                assert!(count(&mut set, &mut most.report, |it| it.on_bytes(key, then)));
            }
            6 if !keys.is_empty() => {
                let key = keys[pick(keys.len())];
                let _ = count(&mut set, &mut most.poll, |it| it.poll_deadline(key, now));
                count(&mut set, &mut most.poll, |it| it.poll_in_flight(key, now));
            }
            7 => {
                // Mostly a short time, rarely so long that all wheels complete a revolution.
                let rare = if pick(500) == 0 { 100_000 } else { 40 };
                now += Duration::from_millis(pick(rare) as u64);
            }
            _ => {
                if let Some(key) = count(&mut set, &mut most.take, |it| it.pop_due(now)) {
                    let _ = count(&mut set, &mut most.poll, |it| it.poll_deadline(key, now));
                }
            }
        }
    }
    assert!(keys.len() > 3000, "{}", keys.len());
    // The table in the documentation of the module.
    assert_eq!(most, Touched { report: 1, insert: 2, take: 3, remove: 3, poll: 6 });
}

#[test]
fn t15_a_member_has_28_bytes_and_its_value() {
    assert_eq!(size_of::<node::Node>(), 28);
    assert_eq!(size_of::<Option<core::task::Waker>>(), 16);
    assert_eq!((size_of::<Key>(), size_of::<Option<Key>>()), (8, 8));
}
