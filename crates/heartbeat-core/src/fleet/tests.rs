use super::segment::SEGMENT;
use super::*;
use crate::{Action, Jitter};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The instant that many seconds after an epoch.
const fn at(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn every(interval: Duration) -> Config {
    Config::every(interval)
}

fn fleet<T>() -> HeartbeatSet<Duration, T> {
    HeartbeatSet::new(at(0))
}

/// Takes and asks whoever is due; gives how many were to send a heartbeat, and reports that as sent.
fn drain<T>(fleet: &mut HeartbeatSet<Duration, T>, now: Duration) -> usize {
    let mut beats = alloc::vec::Vec::new();
    while let Some(key) = fleet.pop_due(now) {
        if let Some(Action::SendHeartbeat { .. }) = fleet.poll_deadline(key, now) {
            beats.push(key);
            assert!(fleet.on_heartbeat_sent(key, now));
        }
    }
    beats.len()
}

#[test]
fn t15_who_is_new_is_asked_at_once() {
    let mut fleet = fleet();
    let key = fleet.insert(&every(secs(64)), at(5), 'a').expect("room");
    assert_eq!(fleet.next_deadline(), Some(at(0)));
    assert_eq!(fleet.pop_due(at(5)), Some(key));
    assert_eq!((fleet.pop_due(at(5)), fleet.next_deadline()), (None, None));
    assert_eq!(fleet.poll_deadline(key, at(5)), Some(Action::WaitUntil(at(69))));
    assert_eq!(fleet.next_deadline(), Some(at(69)));
}

#[test]
fn t15_named_when_the_64th_of_the_deadline_begins_and_never_later() {
    let mut fleet = fleet();
    let born = at(5) + Duration::from_millis(999);
    let key = fleet.insert(&every(secs(64)), born, ()).expect("room");
    assert_eq!(fleet.granularity(key), Some(secs(1) - Duration::from_nanos(1)));
    assert_eq!(drain(&mut fleet, born), 0);

    assert_eq!(fleet.next_deadline(), Some(at(69)));
    assert_eq!(fleet.pop_due(at(69) - Duration::from_nanos(1)), None);
    assert_eq!(fleet.pop_due(at(69)), Some(key));
    let early = Action::SendHeartbeat { late: Duration::ZERO };
    assert_eq!(fleet.poll_deadline(key, at(69)), Some(early));
}

#[test]
fn t15_a_send_moves_nobody_until_the_old_deadline() {
    let mut fleet = fleet();
    let key = fleet.insert(&every(secs(64)), at(0), ()).expect("room");
    assert_eq!(drain(&mut fleet, at(0)), 0);
    for now in 1..64 {
        assert!(fleet.on_send(key, at(now)));
        assert_eq!(fleet.next_deadline(), Some(at(64)));
    }
    assert_eq!(drain(&mut fleet, at(64)), 0);
    assert_eq!(fleet.next_deadline(), Some(at(127)));
    assert_eq!(drain(&mut fleet, at(127)), 1);
}

#[test]
fn t15_a_send_may_be_reported_when_the_member_is_named() {
    let mut fleet = fleet();
    let key = fleet.insert(&every(secs(64)), at(0), ()).expect("room");
    assert_eq!(drain(&mut fleet, at(0)), 0);
    assert_eq!(fleet.pop_due(at(64)), Some(key));
    fleet.on_send(key, at(40));
    assert_eq!(fleet.poll_deadline(key, at(64)), Some(Action::WaitUntil(at(104))));
}

#[test]
fn t6_t12_a_report_alone_brings_back_whom_nothing_was_to_come_for() {
    let config = every(secs(64)).with_give_up_after(secs(100));
    let mut fleet = fleet();
    let key = fleet.insert(&config, at(0), ()).expect("room");
    assert_eq!(drain(&mut fleet, at(0)), 0);

    assert_eq!(fleet.pop_due(at(64)), Some(key));
    assert!(matches!(fleet.poll_deadline(key, at(64)), Some(Action::SendHeartbeat { .. })));
    assert!(fleet.is_in_flight(key));
    fleet.on_send(key, at(65)); // overtakes it, and nobody asks
    assert!(!fleet.is_in_flight(key));
    assert_eq!(drain(&mut fleet, at(128)), 0);
    assert_eq!(fleet.next_deadline(), Some(at(129)));
    assert_eq!(drain(&mut fleet, at(129)), 1);

    assert_eq!(fleet.pop_due(at(165) - Duration::from_nanos(1)), None);
    assert_eq!(fleet.pop_due(at(165)), Some(key));
    assert_eq!(fleet.poll_deadline(key, at(165)), Some(Action::GiveUp));
    fleet.on_send(key, at(170));
    assert_eq!(drain(&mut fleet, at(230)), 0);
    assert_eq!(fleet.next_deadline(), Some(at(234)));
    assert_eq!(drain(&mut fleet, at(234)), 1);
}

#[test]
fn t12_t20_who_is_looked_after_hears_of_it_all_the_same() {
    let config = every(secs(64)).with_give_up_after(secs(100)).with_stall_after(secs(90));
    let mut fleet = fleet();
    let keys = [(); 2].map(|()| fleet.insert(&config, at(0), ()).expect("room"));
    assert_eq!(drain(&mut fleet, at(0)), 0);
    for key in keys {
        assert!(fleet.poll_in_flight(key, at(0)), "it is to be asked");
        assert!(matches!(fleet.poll_deadline(key, at(64)), Some(Action::SendHeartbeat { .. })));
    }
    assert!(keys.iter().all(|&key| !fleet.poll_in_flight(key, at(99))), "nothing yet");
    assert_eq!(fleet.next_deadline(), Some(at(100)));

    // There is something to hear, and no end of it, but nobody is named again and again for it.
    for _ in 0..3 {
        assert!(keys.iter().all(|&key| fleet.poll_in_flight(key, at(100))));
        assert!(fleet.next_deadline() > Some(at(100)));
    }
    let [back, away] = keys;
    fleet.on_heartbeat_sent(back, at(102));
    assert_eq!(fleet.poll_deadline(back, at(102)), Some(Action::GiveUp));
    assert_eq!(fleet.poll_deadline(back, at(102)), Some(Action::WaitForever));

    assert_eq!(fleet.next_deadline(), Some(at(154)));
    assert_eq!(fleet.pop_due(at(154)), Some(away));
    assert!(fleet.poll_in_flight(away, at(154)) && fleet.is_stopped(away));
}

#[test]
fn t9_t10_t20_who_is_stopped_waits_for_nothing() {
    let mut fleet = fleet();
    let config = every(secs(64)).with_stall_after(secs(32)).with_immediate_first(true);
    let [stopped, failed, stalled] =
        [(); 3].map(|()| fleet.insert(&config, at(0), ()).expect("room"));
    fleet.stop(stopped);
    assert_eq!(fleet.poll_deadline(stopped, at(0)), Some(Action::Stopped));
    for key in [failed, stalled] {
        let asked = fleet.poll_deadline(key, at(0));
        assert_eq!(asked, Some(Action::SendHeartbeat { late: Duration::ZERO }));
    }
    fleet.on_heartbeat_failed(failed);
    assert_eq!(fleet.poll_deadline(failed, at(1)), Some(Action::Stopped));
    assert_eq!(fleet.pop_due(at(32)), Some(stalled));
    assert_eq!(fleet.poll_deadline(stalled, at(32)), Some(Action::Stalled));
    assert!([stopped, failed, stalled].iter().all(|&key| fleet.is_stopped(key)));
    assert_eq!((fleet.next_deadline(), fleet.len()), (None, 3));
}

#[test]
fn t12_t20_short_limits_make_the_slots_short() {
    let mut fleet = fleet();
    let hour = every(secs(3600));
    let granularity = |fleet: &mut HeartbeatSet<_, _>, config: &Config| {
        let key = fleet.insert(config, at(0), ()).expect("room");
        fleet.granularity(key).expect("it is there") + Duration::from_nanos(1)
    };
    assert_eq!(granularity(&mut fleet, &hour), secs(3600) / 64);
    assert_eq!(granularity(&mut fleet, &hour.with_give_up_after(secs(450))), secs(3600) / 64);
    assert_eq!(granularity(&mut fleet, &hour.with_give_up_after(secs(8))), secs(1));
    assert_eq!(granularity(&mut fleet, &hour.with_stall_after(secs(8))), secs(1));
    let never = every(Duration::MAX).with_give_up_after(secs(8));
    assert_eq!(granularity(&mut fleet, &never), secs(1));
}

#[test]
fn t12_giving_up_after_an_hour_of_heartbeats_is_late_by_microseconds_at_most() {
    let mut fleet = fleet();
    let config = every(secs(10)).with_give_up_after(secs(3600));
    let born = Duration::from_nanos(1_234_567_891);
    let key = fleet.insert(&config, born, ()).expect("room");
    let mut now = born;
    while now < born + secs(3590) {
        drain(&mut fleet, now);
        now = fleet.next_deadline().expect("it goes on");
    }
    let exact = born + secs(3600);
    let before = fleet.poll_deadline(key, exact - Duration::from_nanos(1));
    assert!(matches!(before, Some(Action::WaitUntil(_) | Action::SendHeartbeat { .. })));
    let after = fleet.poll_deadline(key, exact + Duration::from_micros(4));
    assert_eq!(after, Some(Action::GiveUp));
}

#[test]
fn t15_one_interval_wakes_64_times_per_interval_however_many_members() {
    for jitter in [Jitter::NONE, Jitter::try_from(0.1).expect("a fraction")] {
        let interval = secs(15);
        let mut fleet = fleet();
        for n in 0..1000u32 {
            let config = every(interval).with_jitter(jitter).with_seed(n);
            let born = interval / 1000 * n;
            fleet.insert(&config, born, ()).expect("room");
            drain(&mut fleet, born);
        }
        let (mut now, mut wakes, mut beats) = (interval, 0, 0);
        drain(&mut fleet, now);
        while let Some(next) = fleet.next_deadline().filter(|&next| next <= 11 * interval) {
            assert!(next > now, "it does not spin");
            now = next;
            let due = drain(&mut fleet, now);
            assert!(due > 0, "nobody is woken for nothing");
            (wakes, beats) = (wakes + 1, beats + due);
        }
        assert!(wakes <= 10 * 64, "{wakes}");
        assert!(beats >= 10_000, "{beats}");
    }
}

#[test]
fn keys_that_are_stale_are_refused_and_do_not_reach_who_came_after() {
    let mut fleet = fleet();
    let old = fleet.insert(&every(secs(1)), at(0), 'a').expect("room");
    let other = fleet.insert(&every(secs(1)), at(0), 'b').expect("room");
    assert_eq!(fleet.remove(old), Some('a'));
    let mut keys = alloc::vec![other];
    // The place is taken again once the others of its segment had their turn.
    for _ in 0..2 * SEGMENT {
        let new = fleet.insert(&every(secs(1)), at(0), 'c').expect("room");
        assert!(new != old && fleet.get(old).is_none() && !fleet.on_send(old, at(5)));
        keys.push(new);
    }
    assert!(keys.iter().any(|key| key.index() == old.index()), "the place is taken again");
    assert_eq!(fleet.remove(old), None);
    assert!(keys.iter().all(|&key| fleet.get(key).is_some()));
}

#[test]
fn memory_is_given_back_after_a_surge() {
    let mut fleet = fleet();
    let stays = fleet.insert(&every(secs(1)), at(0), ()).expect("room");
    for round in 0..3 {
        let surge: alloc::vec::Vec<Key> = (0..100_000)
            .map(|_| fleet.insert(&every(secs(15)), at(0), ()).expect("room"))
            .collect();
        assert_eq!(fleet.arena.furnished(), 391, "round {round}: as many as are needed");
        drain(&mut fleet, at(1));
        for key in surge {
            assert_eq!(fleet.remove(key), Some(()));
        }
        assert_eq!(fleet.arena.furnished(), 2, "round {round}: the one in use, and a spare");
        assert_eq!((fleet.len(), fleet.classes.len()), (1, 1));
    }
    assert!(fleet.get(stays).is_some());
}

#[test]
fn the_first_segments_are_filled_first() {
    let mut fleet = fleet();
    let keys: alloc::vec::Vec<Key> = (0..10 * u32::from(SEGMENT))
        .map(|_| fleet.insert(&every(secs(15)), at(0), ()).expect("room"))
        .collect();
    for key in keys.iter().step_by(2) {
        fleet.remove(*key);
    }
    let index = |key: Key| key.index() / u32::from(SEGMENT);
    for n in 0..5 * u32::from(SEGMENT) {
        let key = fleet.insert(&every(secs(15)), at(0), ()).expect("room");
        assert_eq!(index(key), n / (u32::from(SEGMENT) / 2));
    }
    assert_eq!(fleet.arena.furnished(), 10);
}

#[test]
fn t15_wheels_are_exact_for_32_intervals_and_at_most_96_in_all() {
    let mut fleet = fleet();
    let keys: alloc::vec::Vec<Key> = (1..2000u64)
        .map(|n| fleet.insert(&every(Duration::from_micros(n * n * n)), at(0), n).expect("room"))
        .collect();
    assert!((33..=96).contains(&fleet.lines.wheels()), "{}", fleet.lines.wheels());
    for (n, &key) in keys.iter().enumerate() {
        let n = n as u64 + 1;
        let slot = fleet.granularity(key).expect("it is there") + Duration::from_nanos(1);
        let exact = Duration::from_nanos(n * n * n * 1000 / 64);
        assert!(slot <= exact && slot > exact / 2, "{n}");
        assert!(n > 32 || slot == exact, "{n}");
    }
    assert_eq!(fleet.classes.len(), 1999);
    for key in keys {
        fleet.remove(key);
    }
    let key = fleet.insert(&every(secs(7)), at(0), 0).expect("room");
    let exact = secs(7) / 64 - Duration::from_nanos(1);
    assert_eq!(fleet.granularity(key), Some(exact), "a wheel that nobody needs serves another");
}

#[test]
fn t15_wheels_stay_few_however_intervals_come_and_go() {
    let mut fleet = fleet();
    let mut keys = alloc::collections::VecDeque::new();
    for n in 1..20_000u64 {
        let interval = Duration::from_nanos((n * 7919) << (n % 40));
        keys.push_back(fleet.insert(&every(interval), at(0), n).expect("room"));
        if keys.len() > 200 || n % 977 == 0 {
            fleet.remove(keys.pop_front().expect("there are some"));
        }
        if n % 977 == 0 {
            keys.drain(..).for_each(|key| assert!(fleet.remove(key).is_some()));
        }
    }
    assert!(fleet.lines.wheels() <= 96, "{}", fleet.lines.wheels());
}

#[test]
fn too_many_configurations_are_refused() {
    let mut fleet = fleet();
    let mut first = None;
    for n in 0..=u32::from(u16::MAX) {
        let key = fleet.insert(&every(Duration::from_micros(n.into())), at(0), ()).expect("room");
        first.get_or_insert(key);
    }
    let full = fleet.insert(&every(secs(7)), at(0), ()).expect_err("one too many");
    assert!(alloc::format!("{full}").starts_with("the fleet is full"));
    assert_eq!(fleet.len(), 65_536);
    fleet.remove(first.expect("inserted"));
    assert!(fleet.insert(&every(secs(7)), at(0), ()).is_ok());
}

/// The most members that one call of each kind has read or written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Touched {
    report: usize,
    insert: usize,
    take: usize,
    remove: usize,
    poll: usize,
}

/// Counts the members that a call touches.
fn count<T, R>(
    fleet: &mut HeartbeatSet<Duration, T>,
    most: &mut usize,
    call: impl FnOnce(&mut HeartbeatSet<Duration, T>) -> R,
) -> R {
    fleet.arena.touched.clear();
    let answer = call(fleet);
    *most = fleet.arena.touched.len().max(*most);
    answer
}

/// Any order of calls, any mix of intervals, thousands of members: what each call touches is counted.
#[test]
fn t15_no_call_touches_more_members_than_is_said() {
    let mut most = Touched::default();
    let mut random = 1u32;
    let mut pick = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random as usize % below
    };
    let intervals = [1, 7, 15, 15, 15, 60, 3600].map(secs);
    let mut fleet = fleet();
    let mut keys = alloc::vec::Vec::new();
    let mut now = at(0);
    for _ in 0..400_000 {
        match pick(12) {
            0..4 if keys.len() < 5000 => {
                let config = every(intervals[pick(intervals.len())])
                    .with_give_up_after(secs(200))
                    .with_stall_after(secs(20));
                let key = count(&mut fleet, &mut most.insert, |it| it.insert(&config, now, ()));
                keys.push(key.expect("room"));
            }
            4 if keys.len() > 4000 => {
                let key = keys.swap_remove(pick(keys.len()));
                count(&mut fleet, &mut most.remove, |it| it.remove(key)).expect("it is there");
            }
            5 if !keys.is_empty() => {
                let key = keys[pick(keys.len())];
                let back = Duration::from_millis(pick(5000) as u64);
                let then = now.saturating_sub(back);
                assert!(count(&mut fleet, &mut most.report, |it| it.on_send(key, then)));
                assert!(count(&mut fleet, &mut most.report, |it| it.on_bytes(key, then)));
            }
            6 if !keys.is_empty() => {
                let key = keys[pick(keys.len())];
                let _ = count(&mut fleet, &mut most.poll, |it| it.poll_deadline(key, now));
                count(&mut fleet, &mut most.poll, |it| it.poll_in_flight(key, now));
            }
            7 => {
                // Mostly a little time, rarely so much that all wheels turn around.
                let rare = if pick(500) == 0 { 100_000 } else { 40 };
                now += Duration::from_millis(pick(rare) as u64);
            }
            _ => {
                if let Some(key) = count(&mut fleet, &mut most.take, |it| it.pop_due(now)) {
                    let _ = count(&mut fleet, &mut most.poll, |it| it.poll_deadline(key, now));
                }
            }
        }
    }
    assert!(keys.len() > 3000, "{}", keys.len());
    // What the module's table says.
    assert_eq!(most, Touched { report: 1, insert: 2, take: 3, remove: 3, poll: 6 });
}

#[test]
fn t15_a_member_has_28_bytes_and_its_value() {
    assert_eq!(size_of::<node::Node>(), 28);
    assert_eq!(size_of::<Option<core::task::Waker>>(), 16);
    assert_eq!((size_of::<Key>(), size_of::<Option<Key>>()), (8, 8));
}
