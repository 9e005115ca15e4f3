//! `close` concurrent with a driver and other senders.

use heartbeat_loom::{
    Capacity, Interleavings, LoomSinkError, SinkFixture, every, fixture, poll_times, run, spawn,
};

#[test]
fn no_heartbeat_follows_a_close() {
    let outcomes = Interleavings::up_to(7).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Open, every().with_immediate_first(true));
        let driver = spawn(driver);
        run(sender.close()).unwrap();
        driver.join().unwrap().unwrap();
        drop(sender);
        peer.log(&clock)
    });
    assert_eq!(outcomes, [vec!["closed"], vec!["heartbeat", "closed"]]);
}

#[test]
fn a_waiting_close_is_woken_when_the_sink_can_flush() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Full, every());
        run(sender.feed("event")).unwrap();
        let driver = spawn(driver);
        let closed = spawn(async move { sender.close().await });
        peer.set(Capacity::Open);
        closed.join().unwrap().unwrap();
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["event", "closed"]]);
}

#[test]
fn an_event_is_sent_before_a_close_or_rejected() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Open, every().with_immediate_first(true));
        let driver = spawn(driver);
        let sends = sender.clone();
        let sent = spawn(async move { sends.send("event").await });
        run(sender.close()).unwrap();
        let sent = sent.join().unwrap();
        driver.join().unwrap().unwrap();
        drop(sender);
        (sent, peer.log(&clock))
    });
    let expected = [
        (Ok(()), vec!["event", "closed"]),
        (Ok(()), vec!["heartbeat", "event", "closed"]),
        (Err(LoomSinkError::Closed), vec!["closed"]),
        (Err(LoomSinkError::Closed), vec!["heartbeat", "closed"]),
    ];
    assert_eq!(outcomes, expected);
}

#[test]
fn the_driver_flushes_and_ends_after_a_dropped_close() {
    for polls in 0..=3 {
        let outcomes = Interleavings::up_to(3).of(move || {
            let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Full, every());
            run(sender.feed("event")).unwrap();
            run(sender.stop());
            let driver = spawn(driver);
            let other = sender.clone();
            let dropped = spawn(async move { poll_times(polls, other.close()).is_some() });
            peer.set(Capacity::Open);
            let ended = dropped.join().unwrap();
            driver.join().unwrap().unwrap(); // although a sender exists
            drop(sender);
            (ended, peer.log(&clock))
        });
        let possible = [(false, vec!["event"]), (true, vec!["event", "closed"])];
        assert_eq!(outcomes, if polls == 0 { &possible[..1] } else { &possible });
    }
}
