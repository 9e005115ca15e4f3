//! A sender that waits for capacity keeps its turn (T18).

use heartbeat_loom::{
    Capacity, Interleavings, LoomSinkError, SinkFixture, every, fixture, polled_once, spawn,
};

#[test]
fn items_are_sent_in_the_order_of_the_calls() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Blocked, every());
        drop(driver);
        let other = sender.clone();
        let one = spawn(polled_once(async move { sender.send("one").await }));
        let two = spawn(async move { other.send("two").await });
        peer.set(Capacity::Open);
        one.join().unwrap().unwrap();
        two.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["one", "two"]]);
}

#[test]
fn an_event_that_waits_cancels_a_heartbeat() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Blocked, every().with_immediate_first(true));
        let sent = spawn(polled_once(async move { sender.send("event").await }));
        let driver = spawn(driver);
        peer.set(Capacity::Open);
        sent.join().unwrap().unwrap();
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["event"]]);
}

#[test]
fn a_sender_that_sends_again_is_served_after_a_waiting_one() {
    let outcomes = Interleavings::up_to(2).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Full, every());
        drop(driver);
        let other = sender.clone();
        let again = spawn(polled_once(async move {
            sender.send("one").await?;
            sender.send("three").await
        }));
        let waits = spawn(polled_once(async move { other.send("two").await }));
        peer.set(Capacity::Open);
        again.join().unwrap().unwrap();
        waits.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["one", "two", "three"]]);
}

#[test]
fn a_sender_keeps_its_turn_until_its_item_is_flushed() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let SinkFixture { sender, driver, peer, clock } = fixture(Capacity::Full, every());
        drop(driver);
        let (other, notes) = (sender.clone(), peer.clone());
        let one = spawn(polled_once(async move { sender.send("one").await }));
        let two = spawn(async move { other.send("two").await });
        notes.note("opened");
        peer.set(Capacity::Open);
        one.join().unwrap().unwrap();
        two.join().unwrap().unwrap();
        drop(notes);
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["one", "opened", "two"]]);
}

#[test]
fn an_error_is_returned_to_the_sender_that_caused_it() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let SinkFixture { sender, driver, peer, clock } =
            fixture(Capacity::Full, every().with_immediate_first(true));
        let sent = spawn(polled_once(async move { sender.send("event").await }));
        let driver = spawn(driver);
        peer.set(Capacity::LosesItemOnce);
        let sent = sent.join().unwrap();
        driver.join().unwrap().unwrap();
        (sent, peer.log(&clock))
    });
    assert_eq!(outcomes, [(Err(LoomSinkError::Lost), vec!["event", "lost"])]);
}
