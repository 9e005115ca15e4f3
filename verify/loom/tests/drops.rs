//! Senders and driver may be dropped at any time.

use heartbeat_loom::{Interleavings, Room, Scene, every, poll_times, run, scene, spawn};

#[test]
fn the_driver_ends_when_the_last_two_senders_are_dropped_at_once() {
    let ends = Interleavings::up_to(4).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Open, every());
        let driver = spawn(driver);
        let other = sender.clone();
        let dropped = spawn(async move { drop(other) });
        drop(sender);
        dropped.join().unwrap();
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [[""; 0]]);
}

#[test]
fn what_was_fed_is_flushed_when_the_last_sender_is_dropped() {
    let ends = Interleavings::up_to(7).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Open, every());
        let driver = spawn(driver);
        run(sender.feed("real")).unwrap();
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["real"]]);
}

#[test]
fn senders_go_on_when_the_driver_is_dropped() {
    for polls in 0..=3 {
        let ends = Interleavings::up_to(7).of(move || {
            let config = every().with_immediate_first(true);
            let Scene { sender, driver, peer, clock } = scene(Room::Open, config);
            let dropped = spawn(async move { poll_times(polls, driver).is_some() });
            run(sender.send("real")).unwrap();
            drop(sender);
            dropped.join().unwrap();
            peer.log(&clock)
        });
        let beat_or_not: &[_] = &[vec!["beat", "real"], vec!["real"]];
        assert_eq!(ends, if polls == 0 { &beat_or_not[1..] } else { beat_or_not });
    }
}

#[test]
fn senders_that_wait_for_room_go_on_when_the_driver_is_dropped() {
    for polls in 0..=3 {
        let ends = Interleavings::up_to(3).of(move || {
            let config = every().with_immediate_first(true);
            let Scene { sender, driver, peer, clock } = scene(Room::Blocked, config);
            let dropped = spawn(async move { poll_times(polls, driver).is_some() });
            let sent = spawn(async move { sender.send("real").await });
            peer.set(Room::Open);
            sent.join().unwrap().unwrap();
            dropped.join().unwrap();
            peer.log(&clock)
        });
        let beat_or_not: &[_] = &[vec!["beat", "real"], vec!["real"]];
        assert_eq!(ends, if polls == 0 { &beat_or_not[1..] } else { beat_or_not });
    }
}

#[test]
fn everything_may_be_dropped_at_once() {
    for polls in 0..=2 {
        let ends = Interleavings::up_to(3).of(move || {
            let config = every().with_immediate_first(true);
            let Scene { sender, driver, peer, clock } = scene(Room::Blocked, config);
            let other = sender.clone();
            let driver = spawn(async move { poll_times(polls, driver).is_some() });
            let sent = spawn(async move { poll_times(polls, other.send("real")).is_some() });
            peer.set(Room::Full);
            drop(sender);
            driver.join().unwrap();
            sent.join().unwrap();
            peer.log(&clock)
        });
        let possible = [
            vec![],
            vec!["beat", "and is not flushed"],
            vec!["beat", "real", "and is not flushed"],
            vec!["real", "and is not flushed"],
        ];
        assert_eq!(ends, if polls == 0 { &possible[..1] } else { &possible });
    }
}
