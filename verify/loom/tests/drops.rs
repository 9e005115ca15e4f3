//! Senders and driver may be dropped at any time.

use heartbeat_loom::{
    Capacity, Interleavings, SinkFixture, every, fixture, poll_times, polled_once, run, spawn,
};

#[test]
fn the_driver_ends_when_the_last_two_senders_are_dropped_at_once() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Open, every());
        let driver = spawn(driver);
        let other = sender.clone();
        let dropped = spawn(async move { drop(other) });
        drop(sender);
        dropped.join().unwrap();
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [[""; 0]]);
}

#[test]
fn a_fed_item_is_flushed_when_the_last_sender_is_dropped() {
    let outcomes = Interleavings::up_to(7).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Open, every());
        let driver = spawn(driver);
        run(sender.feed("event")).unwrap();
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["event"]]);
}

#[test]
fn the_driver_ends_without_senders_if_the_peer_reads_nothing() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Full, every());
        run(sender.feed("event")).unwrap();
        drop(sender);
        let driver = spawn(polled_once(driver));
        let reader = peer.clone();
        let reads = spawn(async move { reader.set(Capacity::Open) });
        clock.set(15);
        let ended = driver.join().unwrap();
        reads.join().unwrap();
        (ended.is_ok(), peer.log(&clock))
    });
    // The peer may begin to read after the driver has ended: the items are then in the sink.
    assert_eq!(outcomes, [(false, vec!["event", "not flushed"]), (true, vec!["event"])]);
}

#[test]
fn senders_work_when_the_driver_is_dropped() {
    for polls in 0..=3 {
        let outcomes = Interleavings::up_to(7).of(move || {
            let config = every().with_immediate_first(true);
            let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Open, config);
            let dropped = spawn(async move { poll_times(polls, driver).is_some() });
            run(sender.send("event")).unwrap();
            drop(sender);
            dropped.join().unwrap();
            peer.log(&clock)
        });
        let possible: &[_] = &[vec!["event"], vec!["heartbeat", "event"]];
        assert_eq!(outcomes, if polls == 0 { &possible[..1] } else { possible });
    }
}

#[test]
fn senders_that_wait_for_capacity_are_woken_when_the_driver_is_dropped() {
    for polls in 0..=3 {
        let outcomes = Interleavings::up_to(3).of(move || {
            let config = every().with_immediate_first(true);
            let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Blocked, config);
            let dropped = spawn(async move { poll_times(polls, driver).is_some() });
            let sent = spawn(async move { sender.send("event").await });
            peer.set(Capacity::Open);
            sent.join().unwrap().unwrap();
            dropped.join().unwrap();
            peer.log(&clock)
        });
        let possible: &[_] = &[vec!["event"], vec!["heartbeat", "event"]];
        assert_eq!(outcomes, if polls == 0 { &possible[..1] } else { possible });
    }
}

#[test]
fn everything_may_be_dropped_at_once() {
    for polls in 0..=2 {
        let outcomes = Interleavings::up_to(3).of(move || {
            let config = every().with_immediate_first(true);
            let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Blocked, config);
            let other = sender.clone();
            let driver = spawn(async move { poll_times(polls, driver).is_some() });
            let sent = spawn(async move { poll_times(polls, other.send("event")).is_some() });
            peer.set(Capacity::Full);
            drop(sender);
            driver.join().unwrap();
            sent.join().unwrap();
            peer.log(&clock)
        });
        let possible = [
            vec![],
            vec!["event", "not flushed"],
            vec!["heartbeat", "event", "not flushed"],
            vec!["heartbeat", "not flushed"],
        ];
        assert_eq!(outcomes, if polls == 0 { &possible[..1] } else { &possible });
    }
}
