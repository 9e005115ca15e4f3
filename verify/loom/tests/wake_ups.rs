//! A task that waits is woken.

use std::time::Duration;

use heartbeat_loom::{Capacity, Interleavings, SinkFixture, every, fixture, run, spawn};

/// A driver that gives up in its first poll, unless an event was sent before (T12).
fn gives_up() -> SinkFixture {
    let fixture = fixture(Capacity::Open, every().with_give_up_after(Duration::from_secs(15)));
    fixture.clock.set(20);
    fixture
}

#[test]
fn a_sender_that_waits_for_capacity_is_woken() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Blocked, every());
        drop(driver);
        let sent = spawn(async move { sender.send("event").await });
        peer.set(Capacity::Full);
        peer.set(Capacity::Open);
        sent.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["event"]]);
}

#[test]
fn two_senders_that_wait_for_capacity_are_woken() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Blocked, every());
        drop(driver);
        let other = sender.clone();
        let one = spawn(async move { sender.send("one").await });
        let two = spawn(async move { other.send("two").await });
        peer.set(Capacity::Open);
        one.join().unwrap().unwrap();
        two.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["one", "two"], ["two", "one"]]);
}

#[test]
fn two_senders_that_wait_for_a_flush_are_woken() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Full, every());
        drop(driver);
        run(sender.feed("event")).unwrap();
        let other = sender.clone();
        let one = spawn(async move { sender.flush().await });
        let two = spawn(async move { other.flush().await });
        peer.set(Capacity::Open);
        one.join().unwrap().unwrap();
        two.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["event"]]);
}

#[test]
fn a_driver_that_waits_for_capacity_is_woken() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Blocked, every().with_immediate_first(true));
        let driver = spawn(driver);
        peer.set(Capacity::Full);
        peer.set(Capacity::Open);
        run(peer.receives("heartbeat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["heartbeat"]]);
}

#[test]
fn a_driver_sends_a_heartbeat_when_its_sleep_ends() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Open, every());
        let driver = spawn(driver);
        clock.set(10);
        run(peer.receives("heartbeat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["heartbeat"]]);
}

#[test]
fn a_driver_sends_a_heartbeat_at_the_deadline_that_a_send_has_moved() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Open, every());
        let driver = spawn(driver);
        clock.set(5);
        run(sender.send("event")).unwrap();
        clock.set(10);
        clock.set(15);
        run(peer.receives("heartbeat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["event", "heartbeat"]]);
}

fn assert_is_woken_by_stop(begin: fn() -> SinkFixture) {
    let outcomes = Interleavings::up_to(7).of(move || {
        let SinkFixture { sender, driver, peer, clock } = begin();
        let driver = spawn(driver);
        run(sender.stop());
        driver.join().unwrap().unwrap();
        drop(sender);
        peer.log(&clock)
    });
    assert_eq!(outcomes, [[""; 0]]);
}

#[test]
fn a_driver_that_sleeps_is_woken_by_stop() {
    assert_is_woken_by_stop(|| fixture(Capacity::Open, every()));
}

#[test]
fn a_driver_without_heartbeats_is_woken_by_stop() {
    assert_is_woken_by_stop(|| fixture(Capacity::Open, Duration::ZERO.into()));
}

#[test]
fn a_driver_that_gave_up_is_woken_by_stop() {
    assert_is_woken_by_stop(gives_up);
}

#[test]
fn a_driver_that_gave_up_is_woken_by_the_drop_of_the_last_sender() {
    let outcomes = Interleavings::up_to(7).of(|| {
        let SinkFixture { sender, driver, peer, clock } = gives_up();
        let driver = spawn(driver);
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [[""; 0]]);
}

#[test]
fn a_driver_that_gave_up_is_woken_by_an_event() {
    let outcomes = Interleavings::up_to(5).of(|| {
        let SinkFixture { sender, driver, peer, clock } = gives_up();
        let driver = spawn(driver);
        run(sender.send("event")).unwrap();
        clock.set(30);
        run(peer.receives("heartbeat"));
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["event", "heartbeat"]]);
}

#[test]
fn a_sink_may_wake_the_task_that_polls_it() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Open, every().with_immediate_first(true));
        peer.set(Capacity::ReadyOnSecondPoll);
        let driver = spawn(driver);
        run(peer.receives("heartbeat"));
        peer.set(Capacity::ReadyOnSecondPoll);
        run(sender.send("event")).unwrap();
        drop(sender);
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["heartbeat", "event"]]);
}
