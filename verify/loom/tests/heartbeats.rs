//! A heartbeat that is due while a sender sends (T5, T6).

use heartbeat_loom::{Interleavings, Room, Scene, every, poll_times, run, scene, spawn};

#[test]
fn no_heartbeat_follows_on_the_heels_of_a_real_item() {
    let ends = Interleavings::up_to(7).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Open, every().with_immediate_first(true));
        let driver = spawn(driver);
        run(sender.send("real")).unwrap();
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [vec!["beat", "real"], vec!["real"]]);
}

#[test]
fn no_heartbeat_follows_on_the_heels_of_an_item_that_waited_for_room() {
    let ends = Interleavings::up_to(4).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Blocked, every().with_immediate_first(true));
        let driver = spawn(driver);
        let sent = spawn(async move { sender.send("real").await });
        peer.set(Room::Open);
        sent.join().unwrap().unwrap();
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [vec!["beat", "real"], vec!["real"]]);
}

#[test]
fn no_heartbeat_follows_on_the_heels_of_an_item_that_was_slow_to_leave() {
    let ends = Interleavings::up_to(2).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Full, every());
        assert_eq!(poll_times(1, sender.send("real")), None);
        let driver = spawn(driver);
        let flushed = spawn(async move { sender.flush().await });
        clock.set(10); // a heartbeat is due, unless the item leaves only now
        peer.set(Room::Open);
        flushed.join().unwrap().unwrap();
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["real"]]);
}

#[test]
fn one_silence_has_one_heartbeat_however_late_it_is_noticed() {
    let ends = Interleavings::up_to(4).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Open, every());
        let driver = spawn(driver);
        clock.set(10);
        clock.set(19);
        run(peer.sees("beat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["beat"]]);
}

#[test]
fn one_silence_has_one_heartbeat_however_long_there_is_no_room() {
    let ends = Interleavings::up_to(4).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Blocked, every());
        let driver = spawn(driver);
        clock.set(10);
        clock.set(35);
        peer.set(Room::Open);
        run(peer.sees("beat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["beat"]]);
}
