//! A task that waits is woken.

use std::time::Duration;

use heartbeat_loom::{Interleavings, Room, Scene, every, run, scene, spawn};

/// A driver that gives up as soon as it runs, unless there is a real item before (T12).
fn given_up() -> Scene {
    let given_up = scene(Room::Open, every().with_give_up_after(Duration::from_secs(15)));
    given_up.clock.set(20);
    given_up
}

#[test]
fn a_sender_that_waits_for_room_goes_on_when_there_is_some() {
    let ends = Interleavings::up_to(4).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Blocked, every());
        drop(driver);
        let sent = spawn(async move { sender.send("real").await });
        peer.set(Room::Full);
        peer.set(Room::Open);
        sent.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["real"]]);
}

#[test]
fn two_senders_that_wait_for_room_both_go_on() {
    let ends = Interleavings::up_to(3).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Blocked, every());
        drop(driver);
        let other = sender.clone();
        let one = spawn(async move { sender.send("one").await });
        let two = spawn(async move { other.send("two").await });
        peer.set(Room::Open);
        one.join().unwrap().unwrap();
        two.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["one", "two"], ["two", "one"]]);
}

#[test]
fn two_that_flush_both_go_on_when_the_bytes_leave() {
    let ends = Interleavings::up_to(3).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Full, every());
        drop(driver);
        run(sender.feed("real")).unwrap();
        let other = sender.clone();
        let one = spawn(async move { sender.flush().await });
        let two = spawn(async move { other.flush().await });
        peer.set(Room::Open);
        one.join().unwrap().unwrap();
        two.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["real"]]);
}

#[test]
fn a_driver_that_waits_for_room_goes_on_when_there_is_some() {
    let ends = Interleavings::up_to(4).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Blocked, every().with_immediate_first(true));
        let driver = spawn(driver);
        peer.set(Room::Full);
        peer.set(Room::Open);
        run(peer.receives("beat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["beat"]]);
}

#[test]
fn a_driver_that_waits_for_its_alarm_beats_when_it_goes_off() {
    let ends = Interleavings::up_to(4).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Open, every());
        let driver = spawn(driver);
        clock.set(10);
        run(peer.receives("beat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["beat"]]);
}

#[test]
fn a_driver_that_waits_for_its_alarm_waits_for_the_next_when_a_send_has_moved_it() {
    let ends = Interleavings::up_to(4).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Open, every());
        let driver = spawn(driver);
        clock.set(5);
        run(sender.send("real")).unwrap();
        clock.set(10);
        clock.set(15);
        run(peer.receives("beat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["real", "beat"]]);
}

fn assert_is_woken_by_stop(begin: fn() -> Scene) {
    let ends = Interleavings::up_to(7).of(move || {
        let Scene { sender, driver, peer, clock } = begin();
        let driver = spawn(driver);
        run(sender.stop());
        driver.join().unwrap().unwrap();
        drop(sender);
        peer.log(&clock)
    });
    assert_eq!(ends, [[""; 0]]);
}

#[test]
fn a_driver_that_waits_for_its_alarm_is_woken_by_stop() {
    assert_is_woken_by_stop(|| scene(Room::Open, every()));
}

#[test]
fn a_driver_without_heartbeats_is_woken_by_stop() {
    assert_is_woken_by_stop(|| scene(Room::Open, Duration::ZERO.into()));
}

#[test]
fn a_driver_that_gave_up_is_woken_by_stop() {
    assert_is_woken_by_stop(given_up);
}

#[test]
fn a_driver_that_gave_up_is_woken_by_the_drop_of_the_last_sender() {
    let ends = Interleavings::up_to(7).of(|| {
        let Scene { sender, driver, peer, clock } = given_up();
        let driver = spawn(driver);
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [[""; 0]]);
}

#[test]
fn a_driver_that_gave_up_is_woken_by_a_real_item() {
    let ends = Interleavings::up_to(5).of(|| {
        let Scene { sender, driver, peer, clock } = given_up();
        let driver = spawn(driver);
        run(sender.send("real")).unwrap();
        clock.set(30);
        run(peer.receives("beat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["real", "beat"]]);
}

#[test]
fn a_sink_that_wakes_who_asks_it_lets_all_go_on() {
    let ends = Interleavings::up_to(3).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Open, every().with_immediate_first(true));
        peer.set(Room::Coy);
        let driver = spawn(driver);
        run(peer.receives("beat"));
        peer.set(Room::Coy);
        run(sender.send("real")).unwrap();
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["beat", "real"]]);
}
