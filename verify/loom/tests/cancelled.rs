//! A `send` that is dropped while it waits (T18).

use std::ops::RangeInclusive;

use heartbeat_loom::{
    Capacity, Interleavings, SinkFixture, every, fixture, poll_times, polled_once, run, spawn,
};

/// How often the `send` is polled before it is dropped. It waits for its turn, for the lock, for capacity, and for the
/// flush.
const POLLS: RangeInclusive<usize> = 0..=4;

#[test]
fn a_dropped_send_blocks_no_other_sender() {
    for polls in POLLS {
        let outcomes = Interleavings::up_to(3).of(move || {
            let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Blocked, every());
            drop(driver);
            let other = sender.clone();
            let sent = spawn(async move { other.send("event").await });
            let dropped = spawn(async move { poll_times(polls, sender.send("dropped")).is_some() });
            peer.set(Capacity::Open);
            sent.join().unwrap().unwrap();
            let ended = dropped.join().unwrap();
            (ended, peer.log(&clock))
        });
        let possible = [
            (false, vec!["event"]),
            (true, vec!["dropped", "event"]),
            (true, vec!["event", "dropped"]),
        ];
        assert_eq!(outcomes, if polls == 0 { &possible[..1] } else { &possible });
    }
}

#[test]
fn the_item_of_a_dropped_send_is_flushed_by_the_driver() {
    for polls in POLLS {
        let outcomes = Interleavings::up_to(3).of(move || {
            let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Full, every());
            let driver = spawn(driver);
            let sends = sender.clone();
            let dropped = spawn(async move { poll_times(polls, sends.send("dropped")).is_some() });
            peer.set(Capacity::Open);
            let ended = dropped.join().unwrap();
            if peer.has("dropped") {
                run(peer.receives("dropped"));
            }
            drop(sender);
            driver.join().unwrap().unwrap();
            (ended, peer.log(&clock))
        });
        let possible = [(false, vec![]), (false, vec!["dropped"]), (true, vec!["dropped"])];
        assert_eq!(outcomes, if polls == 0 { &possible[..1] } else { &possible });
    }
}

#[test]
fn a_dropped_send_does_not_block_the_driver() {
    for polls in POLLS {
        let outcomes = Interleavings::up_to(3).of(move || {
            let config = every().with_immediate_first(true);
            let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Blocked, config);
            let driver = spawn(driver);
            let sends = sender.clone();
            let dropped = spawn(async move { poll_times(polls, sends.send("dropped")).is_some() });
            peer.set(Capacity::Open);
            let ended = dropped.join().unwrap();
            if !ended {
                run(peer.receives("heartbeat"));
            }
            drop(sender);
            driver.join().unwrap().unwrap();
            (ended, peer.log(&clock))
        });
        let possible = [
            (false, vec!["heartbeat"]),
            (true, vec!["dropped"]),
            (true, vec!["heartbeat", "dropped"]),
        ];
        assert_eq!(outcomes, if polls == 0 { &possible[..1] } else { &possible });
    }
}

#[test]
fn a_driver_that_waits_for_the_sink_is_woken_after_a_dropped_send() {
    for polls in [1, 3] {
        let outcomes = Interleavings::up_to(3).of(move || {
            let config = every().with_immediate_first(true);
            let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Blocked, config);
            let driver = spawn(polled_once(driver));
            let sends = sender.clone();
            let dropped = spawn(async move { poll_times(polls, sends.send("dropped")).is_some() });
            dropped.join().unwrap();
            peer.set(Capacity::Open);
            run(peer.receives("heartbeat"));
            drop(sender);
            driver.join().unwrap().unwrap();
            peer.log(&clock)
        });
        assert_eq!(outcomes, [["heartbeat"]]);
    }
}

#[test]
fn a_driver_that_flushes_is_woken_after_a_dropped_flush() {
    for polls in [1, 3] {
        let outcomes = Interleavings::up_to(3).of(move || {
            let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Full, every());
            run(sender.feed("fed")).unwrap();
            let driver = spawn(polled_once(driver));
            let flushes = sender.clone();
            let dropped = spawn(async move { poll_times(polls, flushes.flush()).is_some() });
            dropped.join().unwrap();
            peer.set(Capacity::Open);
            run(peer.receives("fed"));
            drop(sender);
            driver.join().unwrap().unwrap();
            peer.log(&clock)
        });
        assert_eq!(outcomes, [["fed"]]);
    }
}
