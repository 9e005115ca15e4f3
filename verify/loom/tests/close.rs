//! `close` while everything else goes on.

use heartbeat_loom::{Failed, Interleavings, Room, Scene, every, poll_times, run, scene, spawn};

#[test]
fn no_heartbeat_follows_a_close() {
    let ends = Interleavings::up_to(7).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Open, every().with_immediate_first(true));
        let driver = spawn(driver);
        run(sender.close()).unwrap();
        driver.join().unwrap().unwrap();
        drop(sender);
        peer.log(&clock)
    });
    assert_eq!(ends, [vec!["beat", "closed"], vec!["closed"]]);
}

#[test]
fn a_close_that_waits_goes_on_when_the_bytes_have_left() {
    let ends = Interleavings::up_to(4).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Full, every());
        run(sender.feed("real")).unwrap();
        let driver = spawn(driver);
        let closed = spawn(async move { sender.close().await });
        peer.set(Room::Open);
        closed.join().unwrap().unwrap();
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["real", "closed"]]);
}

#[test]
fn an_item_is_handed_over_before_a_close_or_refused() {
    let ends = Interleavings::up_to(3).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Open, every().with_immediate_first(true));
        let driver = spawn(driver);
        let sends = sender.clone();
        let sent = spawn(async move { sends.send("real").await });
        run(sender.close()).unwrap();
        let sent = sent.join().unwrap();
        driver.join().unwrap().unwrap();
        drop(sender);
        (sent, peer.log(&clock))
    });
    let expected = [
        (Ok(()), vec!["beat", "real", "closed"]),
        (Ok(()), vec!["real", "closed"]),
        (Err(Failed::Closed), vec!["beat", "closed"]),
        (Err(Failed::Closed), vec!["closed"]),
    ];
    assert_eq!(ends, expected);
}

#[test]
fn a_dropped_close_leaves_it_to_the_driver_to_flush_and_to_end() {
    for polls in 0..=3 {
        let ends = Interleavings::up_to(3).of(move || {
            let Scene { sender, driver, peer, clock } = scene(Room::Full, every());
            run(sender.feed("real")).unwrap();
            run(sender.stop());
            let driver = spawn(driver);
            let other = sender.clone();
            let dropped = spawn(async move { poll_times(polls, other.close()).is_some() });
            peer.set(Room::Open);
            let ended = dropped.join().unwrap();
            driver.join().unwrap().unwrap(); // though there is a sender
            drop(sender);
            (ended, peer.log(&clock))
        });
        let possible = [(false, vec!["real"]), (true, vec!["real", "closed"])];
        assert_eq!(ends, if polls == 0 { &possible[..1] } else { &possible });
    }
}
