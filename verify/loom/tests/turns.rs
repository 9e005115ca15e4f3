//! A sender that waits for room has its turn, and keeps it (T18).

use heartbeat_loom::{Failed, Interleavings, Room, Scene, begun, every, scene, spawn};

#[test]
fn items_go_in_the_order_in_which_they_were_asked_to() {
    let ends = Interleavings::up_to(3).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Blocked, every());
        drop(driver);
        let other = sender.clone();
        let one = spawn(begun(async move { sender.send("one").await }));
        let two = spawn(async move { other.send("two").await });
        peer.set(Room::Open);
        one.join().unwrap().unwrap();
        two.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["one", "two"]]);
}

#[test]
fn a_heartbeat_comes_after_a_sender_that_waits_and_so_not_at_all() {
    let ends = Interleavings::up_to(3).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Blocked, every().with_immediate_first(true));
        let sent = spawn(begun(async move { sender.send("real").await }));
        let driver = spawn(driver);
        peer.set(Room::Open);
        sent.join().unwrap().unwrap();
        driver.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["real"]]);
}

#[test]
fn a_sender_that_sends_again_comes_after_one_that_waits() {
    let ends = Interleavings::up_to(2).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Full, every());
        drop(driver);
        let other = sender.clone();
        let again = spawn(begun(async move {
            sender.send("one").await?;
            sender.send("and again").await
        }));
        let waits = spawn(begun(async move { other.send("two").await }));
        peer.set(Room::Open);
        again.join().unwrap().unwrap();
        waits.join().unwrap().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["one", "two", "and again"]]);
}

#[test]
fn who_has_the_turn_keeps_it_until_its_item_is_flushed() {
    let ends = Interleavings::up_to(3).of(|| {
        let Scene { sender, driver, peer, clock } = scene(Room::Full, every());
        drop(driver);
        let (other, notes) = (sender.clone(), peer.clone());
        let one = spawn(begun(async move { sender.send("one").await }));
        let two = spawn(async move { other.send("two").await });
        notes.note("room");
        peer.set(Room::Open);
        one.join().unwrap().unwrap();
        two.join().unwrap().unwrap();
        drop(notes);
        peer.log(&clock)
    });
    assert_eq!(ends, [["one", "room", "two"]]);
}

#[test]
fn an_error_reaches_the_sender_that_has_caused_it() {
    let ends = Interleavings::up_to(4).of(|| {
        let Scene { sender, driver, peer, clock } =
            scene(Room::Full, every().with_immediate_first(true));
        let sent = spawn(begun(async move { sender.send("real").await }));
        let driver = spawn(driver);
        peer.set(Room::Lossy);
        let sent = sent.join().unwrap();
        driver.join().unwrap().unwrap();
        (sent, peer.log(&clock))
    });
    assert_eq!(ends, [(Err(Failed::Lost), vec!["real", "lost"])]);
}
