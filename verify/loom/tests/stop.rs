//! `stop` concurrent with a driver and other senders (T9, T18).

use heartbeat_loom::{Capacity, Interleavings, SinkFixture, every, fixture, run, spawn};

#[test]
fn no_heartbeat_is_sent_after_stop_has_returned() {
    let outcomes = Interleavings::up_to(7).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Open, every().with_immediate_first(true));
        let driver = spawn(driver);
        run(sender.stop());
        peer.note("stopped");
        driver.join().unwrap().unwrap();
        drop(sender);
        peer.log(&clock)
    });
    assert_eq!(outcomes, [vec!["heartbeat", "stopped"], vec!["stopped"]]);
}

#[test]
fn no_heartbeat_that_waited_for_capacity_is_sent_after_stop_has_returned() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Blocked, every().with_immediate_first(true));
        let driver = spawn(driver);
        let (stops, notes) = (sender.clone(), peer.clone());
        let stopped = spawn(async move {
            stops.stop().await;
            notes.note("stopped");
        });
        peer.set(Capacity::Open);
        stopped.join().unwrap();
        driver.join().unwrap().unwrap();
        drop(sender);
        peer.log(&clock)
    });
    assert_eq!(outcomes, [vec!["heartbeat", "stopped"], vec!["stopped"]]);
}

#[test]
fn no_heartbeat_is_sent_after_a_stop_beside_a_send() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Open, every().with_immediate_first(true));
        let driver = spawn(driver);
        let sends = sender.clone();
        let sent = spawn(async move { sends.send("event").await });
        run(sender.stop());
        peer.note("stopped");
        sent.join().unwrap().unwrap();
        driver.join().unwrap().unwrap();
        drop(sender);
        peer.log(&clock)
    });
    let expected = [
        vec!["event", "stopped"],
        vec!["heartbeat", "event", "stopped"],
        vec!["heartbeat", "stopped", "event"],
        vec!["stopped", "event"],
    ];
    assert_eq!(outcomes, expected);
}

#[test]
fn two_senders_may_stop_at_once() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Open, every().with_immediate_first(true));
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
    assert_eq!(outcomes, [vec!["heartbeat", "stopped"], vec!["stopped"]]);
}
