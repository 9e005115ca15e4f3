//! A `send` that is dropped at one of the points at which it waits (T18).

use std::ops::RangeInclusive;

use heartbeat_loom::{Interleavings, Room, Scene, begun, every, poll_times, run, scene, spawn};

/// As often as it is polled before it is dropped. It waits for its turn, for the line, for room, and for
/// the flush.
const POLLS: RangeInclusive<usize> = 0..=4;

#[test]
fn a_dropped_send_keeps_no_other_sender_from_its_turn() {
    for polls in POLLS {
        let ends = Interleavings::up_to(3).of(move || {
            let Scene { sender, driver, peer, clock } = scene(Room::Blocked, every());
            drop(driver);
            let other = sender.clone();
            let sent = spawn(async move { other.send("real").await });
            let dropped = spawn(async move { poll_times(polls, sender.send("dropped")).is_some() });
            peer.set(Room::Open);
            sent.join().unwrap().unwrap();
            let ended = dropped.join().unwrap();
            (ended, peer.log(&clock))
        });
        let possible = [
            (false, vec!["real"]),
            (true, vec!["dropped", "real"]),
            (true, vec!["real", "dropped"]),
        ];
        assert_eq!(ends, if polls == 0 { &possible[..1] } else { &possible });
    }
}

#[test]
fn what_a_dropped_send_has_handed_over_is_flushed_by_the_driver() {
    for polls in POLLS {
        let ends = Interleavings::up_to(3).of(move || {
            let Scene { sender, driver, peer, clock } = scene(Room::Full, every());
            let driver = spawn(driver);
            let sends = sender.clone();
            let dropped = spawn(async move { poll_times(polls, sends.send("dropped")).is_some() });
            peer.set(Room::Open);
            let ended = dropped.join().unwrap();
            if peer.has("dropped") {
                run(peer.receives("dropped"));
            }
            drop(sender);
            driver.join().unwrap().unwrap();
            (ended, peer.log(&clock))
        });
        let possible = [(false, vec![]), (false, vec!["dropped"]), (true, vec!["dropped"])];
        assert_eq!(ends, if polls == 0 { &possible[..1] } else { &possible });
    }
}

#[test]
fn a_dropped_send_keeps_nothing_from_the_driver() {
    for polls in POLLS {
        let ends = Interleavings::up_to(3).of(move || {
            let config = every().with_immediate_first(true);
            let Scene { sender, driver, peer, clock } = scene(Room::Blocked, config);
            let driver = spawn(driver);
            let sends = sender.clone();
            let dropped = spawn(async move { poll_times(polls, sends.send("dropped")).is_some() });
            peer.set(Room::Open);
            let ended = dropped.join().unwrap();
            if !ended {
                run(peer.receives("beat"));
            }
            drop(sender);
            driver.join().unwrap().unwrap();
            (ended, peer.log(&clock))
        });
        let possible =
            [(false, vec!["beat"]), (true, vec!["beat", "dropped"]), (true, vec!["dropped"])];
        assert_eq!(ends, if polls == 0 { &possible[..1] } else { &possible });
    }
}

#[test]
fn a_driver_that_waits_for_the_sink_goes_on_when_a_send_that_asked_it_was_dropped() {
    for polls in [1, 3] {
        let ends = Interleavings::up_to(3).of(move || {
            let config = every().with_immediate_first(true);
            let Scene { sender, driver, peer, clock } = scene(Room::Blocked, config);
            let driver = spawn(begun(driver));
            let sends = sender.clone();
            let dropped = spawn(async move { poll_times(polls, sends.send("dropped")).is_some() });
            dropped.join().unwrap();
            peer.set(Room::Open);
            run(peer.receives("beat"));
            drop(sender);
            driver.join().unwrap().unwrap();
            peer.log(&clock)
        });
        assert_eq!(ends, [["beat"]]);
    }
}

#[test]
fn a_driver_that_flushes_goes_on_when_a_flush_that_asked_the_sink_was_dropped() {
    for polls in [1, 3] {
        let ends = Interleavings::up_to(3).of(move || {
            let Scene { sender, driver, peer, clock } = scene(Room::Full, every());
            run(sender.feed("fed")).unwrap();
            let driver = spawn(begun(driver));
            let flushes = sender.clone();
            let dropped = spawn(async move { poll_times(polls, flushes.flush()).is_some() });
            dropped.join().unwrap();
            peer.set(Room::Open);
            run(peer.receives("fed"));
            drop(sender);
            driver.join().unwrap().unwrap();
            peer.log(&clock)
        });
        assert_eq!(ends, [["fed"]]);
    }
}
