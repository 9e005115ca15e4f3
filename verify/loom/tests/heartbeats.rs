//! A heartbeat that is due while a sender sends (T5, T6).

use heartbeat_loom::{
    Capacity, Interleavings, SinkFixture, every, fixture, poll_times, run, spawn,
};

#[test]
fn no_heartbeat_directly_follows_an_event() {
    let outcomes = Interleavings::up_to(7).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Open, every().with_immediate_first(true));
        let driver = spawn(driver);
        run(sender.send("event")).unwrap();
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [vec!["event"], vec!["heartbeat", "event"]]);
}

#[test]
fn no_heartbeat_directly_follows_an_event_that_waited_for_capacity() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Blocked, every().with_immediate_first(true));
        let driver = spawn(driver);
        let sent = spawn(async move { sender.send("event").await });
        peer.set(Capacity::Open);
        sent.join().unwrap().unwrap();
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [vec!["event"], vec!["heartbeat", "event"]]);
}

#[test]
fn no_heartbeat_directly_follows_an_event_that_was_flushed_late() {
    let outcomes = Interleavings::up_to(2).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Full, every());
        assert_eq!(poll_times(1, sender.send("event")), None);
        let driver = spawn(driver);
        let flushed = spawn(async move { sender.flush().await });
        clock.set(10); // a heartbeat is due, unless the event is flushed only now
        peer.set(Capacity::Open);
        flushed.join().unwrap().unwrap();
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["event"]]);
}

#[test]
fn a_late_wake_up_sends_one_heartbeat() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Open, every());
        let driver = spawn(driver);
        clock.set(10);
        clock.set(19);
        run(peer.sees("heartbeat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["heartbeat"]]);
}

#[test]
fn a_blocked_sink_gets_one_heartbeat() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Blocked, every());
        let driver = spawn(driver);
        clock.set(10);
        clock.set(35);
        peer.set(Capacity::Open);
        run(peer.sees("heartbeat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["heartbeat"]]);
}
