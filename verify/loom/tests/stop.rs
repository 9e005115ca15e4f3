//! `stop` while everything else goes on (T9, T18).

use heartbeat_loom::{Interleavings, Room, Scene, every, run, scene, spawn};

#[test]
fn no_heartbeat_is_handed_over_after_stop_has_returned() {
    let ends = Interleavings::up_to(7).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Open, every().with_immediate_first(true));
        let driver = spawn(driver);
        run(sender.stop());
        peer.note("stopped");
        driver.join().unwrap().unwrap();
        drop(sender);
        peer.log(&clock)
    });
    assert_eq!(ends, [vec!["beat", "stopped"], vec!["stopped"]]);
}

#[test]
fn no_heartbeat_that_waited_for_room_is_handed_over_after_stop_has_returned() {
    let ends = Interleavings::up_to(4).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Blocked, every().with_immediate_first(true));
        let driver = spawn(driver);
        let (stops, notes) = (sender.clone(), peer.clone());
        let stopped = spawn(async move {
            stops.stop().await;
            notes.note("stopped");
        });
        peer.set(Room::Open);
        stopped.join().unwrap();
        driver.join().unwrap().unwrap();
        drop(sender);
        peer.log(&clock)
    });
    assert_eq!(ends, [vec!["beat", "stopped"], vec!["stopped"]]);
}

#[test]
fn no_heartbeat_is_handed_over_after_a_stop_beside_a_sender() {
    let ends = Interleavings::up_to(3).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Open, every().with_immediate_first(true));
        let driver = spawn(driver);
        let sends = sender.clone();
        let sent = spawn(async move { sends.send("real").await });
        run(sender.stop());
        peer.note("stopped");
        sent.join().unwrap().unwrap();
        driver.join().unwrap().unwrap();
        drop(sender);
        peer.log(&clock)
    });
    let expected = [
        vec!["beat", "real", "stopped"],
        vec!["beat", "stopped", "real"],
        vec!["real", "stopped"],
        vec!["stopped", "real"],
    ];
    assert_eq!(ends, expected);
}

#[test]
fn two_may_stop_at_once() {
    let ends = Interleavings::up_to(3).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Open, every().with_immediate_first(true));
        let driver = spawn(driver);
        let other = sender.clone();
        let stopped = spawn(async move { other.stop().await });
        run(sender.stop());
        peer.note("stopped");
        stopped.join().unwrap();
        driver.join().unwrap().unwrap();
        drop(sender);
        peer.log(&clock)
    });
    assert_eq!(ends, [vec!["beat", "stopped"], vec!["stopped"]]);
}
