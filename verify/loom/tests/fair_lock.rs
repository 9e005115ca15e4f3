//! The queue of the push side: one turn at a time, in the order of the calls, and none is lost (T18).

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use heartbeat_loom::{Interleavings, TestLock, poll_times, polled_once, run, spawn};
use loom::cell::UnsafeCell;

/// How often a waiter is polled before it is dropped.
const POLLS: RangeInclusive<usize> = 0..=2;

/// The entries that are written in each turn.
#[derive(Debug, Clone)]
struct Log(Arc<Mutex<Vec<&'static str>>>, Arc<UnsafeCell<()>>);

impl Log {
    #[expect(clippy::arc_with_non_send_sync, reason = "loom runs one thread at a time")]
    fn new() -> Self {
        Self(Arc::default(), Arc::new(UnsafeCell::new(())))
    }

    fn write(&self, entry: &'static str) {
        // loom detects two writers at once, and a writer that does not see an earlier write.
        self.1.with_mut(|_| ());
        self.0.lock().unwrap().push(entry);
    }

    /// The entries, once all turns have ended.
    fn end(self, turns: &TestLock) -> Vec<&'static str> {
        assert!(turns.try_take().is_some(), "a turn was lost");
        self.1.with_mut(|_| ());
        self.0.lock().unwrap().clone()
    }
}

async fn write(turns: TestLock, log: Log, entries: &[&'static str]) {
    for entry in entries {
        let turn = turns.take().await;
        log.write(entry);
        turn.release().await;
    }
}

#[test]
fn one_sender_at_a_time_has_the_turn() {
    let outcomes = Interleavings::up_to(2).of(|| {
        let (turns, log) = (TestLock::new(), Log::new());
        let one = spawn(write(turns.clone(), log.clone(), &["one"]));
        let two = spawn(write(turns.clone(), log.clone(), &["two"]));
        run(write(turns.clone(), log.clone(), &["three"]));
        one.join().unwrap();
        two.join().unwrap();
        log.end(&turns).len()
    });
    assert_eq!(outcomes, [3]);
}

#[test]
fn two_senders_may_take_the_turn_repeatedly() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let (turns, log) = (TestLock::new(), Log::new());
        let one = spawn(write(turns.clone(), log.clone(), &["one", "one"]));
        run(write(turns.clone(), log.clone(), &["two", "two"]));
        one.join().unwrap();
        log.end(&turns).len()
    });
    assert_eq!(outcomes, [4]);
}

#[test]
fn a_driver_that_does_not_wait_takes_no_turn_from_senders() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let (turns, log) = (TestLock::new(), Log::new());
        let one = spawn(write(turns.clone(), log.clone(), &["one", "one"]));
        for _ in 0..2 {
            if let Some(turn) = turns.try_take() {
                log.write("two");
                drop(turn);
            }
        }
        one.join().unwrap();
        log.end(&turns).len()
    });
    assert_eq!(outcomes, [2, 3, 4]);
}

#[test]
fn a_sender_that_sends_again_is_served_after_a_waiting_one() {
    let outcomes = Interleavings::up_to(7).of(|| {
        let (turns, log) = (TestLock::new(), Log::new());
        let turn = run(turns.take());
        let waits = spawn(polled_once(write(turns.clone(), log.clone(), &["waits"])));
        log.write("first");
        drop(turn);
        run(write(turns.clone(), log.clone(), &["again", "once more"]));
        waits.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(outcomes, [["first", "waits", "again", "once more"]]);
}

#[test]
fn a_later_sender_is_served_after_the_waiting_ones() {
    let outcomes = Interleavings::up_to(2).of(|| {
        let (turns, log) = (TestLock::new(), Log::new());
        let turn = run(turns.take());
        let one = spawn(polled_once(write(turns.clone(), log.clone(), &["one"])));
        let two = spawn(polled_once(write(turns.clone(), log.clone(), &["two"])));
        run(turn.release());
        run(write(turns.clone(), log.clone(), &["three"]));
        one.join().unwrap();
        two.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(outcomes, [["one", "two", "three"]]);
}

#[test]
fn a_driver_that_does_not_wait_does_not_overtake_a_waiting_sender() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let (turns, log) = (TestLock::new(), Log::new());
        let turn = run(turns.take());
        let waits = spawn(polled_once(write(turns.clone(), log.clone(), &["waits"])));
        drop(turn);
        if let Some(turn) = turns.try_take() {
            log.write("tries");
            drop(turn);
        }
        waits.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(outcomes, [vec!["waits"], vec!["waits", "tries"]]);
}

#[test]
fn a_waiting_sender_that_is_dropped_blocks_no_other() {
    for polls in POLLS {
        let outcomes = Interleavings::up_to(4).of(move || {
            let (turns, log) = (TestLock::new(), Log::new());
            let turn = run(turns.take());
            let one = write(turns.clone(), log.clone(), &["dropped"]);
            let one = spawn(async move { poll_times(polls, one).is_some() });
            let two = spawn(write(turns.clone(), log.clone(), &["two"]));
            drop(turn);
            let served = one.join().unwrap();
            two.join().unwrap();
            (served, log.end(&turns).len())
        });
        let possible = [(false, 1), (true, 2)];
        assert_eq!(outcomes, if polls == 0 { &possible[..1] } else { &possible });
    }
}

#[test]
fn the_turn_of_a_dropped_sender_goes_to_the_next() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let (turns, log) = (TestLock::new(), Log::new());
        let turn = run(turns.take());
        let one = polled_once(write(turns.clone(), log.clone(), &["dropped"]));
        let two = spawn(polled_once(write(turns.clone(), log.clone(), &["two"])));
        let dropped = spawn(async move { drop(one) });
        run(turn.release());
        two.join().unwrap();
        dropped.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(outcomes, [["two"]]);
}

#[test]
fn all_waiting_senders_may_be_dropped_at_once() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let (turns, log) = (TestLock::new(), Log::new());
        let turn = run(turns.take());
        let one = polled_once(write(turns.clone(), log.clone(), &["one"]));
        let two = polled_once(write(turns.clone(), log.clone(), &["two"]));
        let one = spawn(async move { drop(one) });
        let two = spawn(async move { drop(two) });
        drop(turn);
        run(write(turns.clone(), log.clone(), &["three"]));
        one.join().unwrap();
        two.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(outcomes, [["three"]]);
}

#[test]
fn the_driver_is_woken_when_a_turn_ends() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let (turns, log) = (TestLock::new(), Log::new());
        let one = spawn(write(turns.clone(), log.clone(), &["one"]));
        run(turns.released());
        one.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(outcomes, [["one"]]);
}

/// The driver waits behind one sender and before another.
#[test]
fn the_driver_has_its_place_in_the_queue() {
    let outcomes = Interleavings::up_to(1).of(|| {
        let (turns, log) = (TestLock::new(), Log::new());
        let turn = run(turns.take());
        let one = spawn(polled_once(write(turns.clone(), log.clone(), &["one"])));
        let (of_driver, its_log) = (turns.clone(), log.clone());
        let driver = spawn(polled_once(async move {
            let turn = of_driver.take_as_driver().await;
            its_log.write("driver");
            drop(turn);
        }));
        let two = spawn(polled_once(write(turns.clone(), log.clone(), &["two"])));
        run(turn.release());
        one.join().unwrap();
        driver.join().unwrap();
        two.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(outcomes, [["one", "driver", "two"]]);
}
