//! The values of the members of a set, and the answers to stale keys.

#![cfg(feature = "alloc")]

use std::time::Duration;

use heartbeat_core::{Action, Config, HeartbeatSet, Key};

/// The instant `secs` after the epoch.
const fn at(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn insert<T>(set: &mut HeartbeatSet<Duration, T>, value: T) -> Key {
    set.insert(&Config::every(at(64)), at(0), value).expect("room")
}

#[test]
fn len_counts_members_and_a_set_without_members_is_empty() {
    let mut set = HeartbeatSet::new(at(0));
    assert_eq!((set.len(), set.is_empty()), (0, true));
    let keys = ['a', 'b'].map(|value| insert(&mut set, value));
    assert_eq!((set.len(), set.is_empty()), (2, false));
    for key in keys {
        set.remove(key);
    }
    assert_eq!((set.len(), set.is_empty()), (0, true));
}

#[test]
fn take_values_returns_each_value_once_and_keeps_the_members() {
    let mut set = HeartbeatSet::new(at(0));
    let keys = (0..600).map(|value| insert(&mut set, value)).collect::<Vec<_>>(); // three segments
    set.remove(keys[5]);
    let mut values = set.take_values().collect::<Vec<_>>();
    values.sort_unstable();
    assert_eq!(values, (0..600).filter(|&value| value != 5).collect::<Vec<_>>());
    assert_eq!(set.take_values().count(), 0);

    assert_eq!(set.len(), 599);
    assert_eq!(set.get(keys[7]), None);
    assert!(set.on_send(keys[7], at(1)), "the member is still in the set");
    assert_eq!(set.poll_deadline(keys[7], at(2)), Some(Action::WaitUntil(at(65))));
    assert_eq!(set.remove(keys[7]), None);
    assert!(!set.on_send(keys[7], at(3)));
}

#[test]
fn get_mut_changes_the_value_or_takes_it() {
    let mut set = HeartbeatSet::new(at(0));
    let (key, other) = (insert(&mut set, "first"), insert(&mut set, "other"));
    *set.get_mut(key).expect("a member") = Some("second");
    assert_eq!((set.get(key), set.get(other)), (Some(&"second"), Some(&"other")));
    assert_eq!(set.get_mut(key).expect("a member").take(), Some("second"));
    assert_eq!(set.get(key), None);
    assert_eq!(set.get_mut(key), Some(&mut None), "the member is still in the set");
    assert_eq!(set.remove(other), Some("other"));
    assert_eq!(set.get_mut(other), None);
}

#[test]
fn every_call_rejects_a_stale_key() {
    let mut set = HeartbeatSet::new(at(0));
    let (stale, other) = (insert(&mut set, 'a'), insert(&mut set, 'b'));
    assert_eq!(set.remove(stale), Some('a'));
    assert!(!set.on_send(stale, at(1)));
    assert!(!set.on_bytes(stale, at(1)));
    assert!(!set.on_heartbeat_sent(stale, at(1)));
    assert!(!set.on_heartbeat_failed(stale));
    assert!(!set.stop(stale));
    assert_eq!(set.poll_deadline(stale, at(1)), None);
    assert!(set.poll_in_flight(stale, at(1)));
    assert!(!set.is_in_flight(stale) && set.is_stopped(stale));
    assert_eq!((set.granularity(stale), set.get(stale)), (None, None));
    assert_eq!(set.get_mut(stale), None);
    assert_eq!(set.remove(stale), None);

    assert!(set.on_send(other, at(1)) && set.on_bytes(other, at(1)));
    assert!(set.on_heartbeat_sent(other, at(1)) && !set.is_stopped(other));
    assert!(set.on_heartbeat_failed(other) && set.stop(other) && set.is_stopped(other));
}
