//! Members of one set that share a configuration, compared with single heartbeats in literal times.

#![cfg(feature = "alloc")]

use std::time::Duration;

use heartbeat_core::{Action, Config, Heartbeat, HeartbeatSet, Jitter};

/// The instant `secs` after the epoch.
const fn at(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn t7_t15_a_report_with_an_earlier_time_does_not_undo_a_later_one() {
    let mut set = HeartbeatSet::new(at(0));
    let key = set.insert(&Config::every(at(64)), at(0), ()).expect("room");
    assert!(set.on_send(key, at(40)));
    assert!(set.on_send(key, at(20)));
    assert_eq!(set.poll_deadline(key, at(64)), Some(Action::WaitUntil(at(104))));
}

#[test]
fn t11_t15_each_member_has_the_gaps_of_its_own_seed() {
    let jitter = Jitter::try_from(0.5).expect("a fraction");
    let mut set = HeartbeatSet::new(at(0));
    let mut members = [1, 2, 3].map(|seed| {
        let config = Config::every(at(64)).with_jitter(jitter).with_seed(seed);
        let key = set.insert(&config, at(0), ()).expect("room");
        let granularity = set.granularity(key).expect("a member");
        (key, Heartbeat::new(&config, at(0)).with_granularity(granularity), Vec::new())
    });
    for now in (0..400).map(at) {
        for (key, single, sent) in &mut members {
            let action = set.poll_deadline(*key, now);
            assert_eq!(action, Some(single.poll_deadline(now)), "{now:?}");
            if let Some(Action::SendHeartbeat { .. }) = action {
                set.on_heartbeat_sent(*key, now);
                single.on_heartbeat_sent(now);
                sent.push(now);
            }
        }
    }
    let [one, two, three] = members.map(|(_, _, sent)| sent);
    assert!(one.len() > 5 && one != two && one != three && two != three);
    let gaps = one.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect::<Vec<_>>();
    assert!(gaps.iter().any(|gap| *gap != gaps[0]), "the gap changes: {gaps:?}");
}
