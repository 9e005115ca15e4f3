//! The queue of the push side: one turn at a time, in the order of the calls, and none is lost (T18).

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use heartbeat_loom::{Interleavings, Turns, begun, poll_times, run, spawn};
use loom::cell::UnsafeCell;

/// How often a waiter is polled before it is dropped.
const POLLS: RangeInclusive<usize> = 0..=2;

/// What is written in each turn.
#[derive(Debug, Clone)]
struct Log(Arc<Mutex<Vec<&'static str>>>, Arc<UnsafeCell<()>>);

impl Log {
    #[expect(clippy::arc_with_non_send_sync, reason = "loom runs one thread at a time")]
    fn new() -> Self {
        Self(Arc::default(), Arc::new(UnsafeCell::new(())))
    }

    fn write(&self, what: &'static str) {
        // loom detects two writers at once, and a writer that does not see an earlier write.
        self.1.with_mut(|_| ());
        self.0.lock().unwrap().push(what);
    }

    /// What was written, once all turns have ended.
    fn end(self, turns: &Turns) -> Vec<&'static str> {
        assert!(turns.try_take().is_some(), "a turn was lost");
        self.1.with_mut(|_| ());
        self.0.lock().unwrap().clone()
    }
}

async fn write(turns: Turns, log: Log, whats: &[&'static str]) {
    for what in whats {
        let turn = turns.take().await;
        log.write(what);
        turn.release().await;
    }
}

#[test]
fn one_at_a_time_has_the_turn_and_each_gets_it() {
    let ends = Interleavings::up_to(2).of(|| {
        let (turns, log) = (Turns::new(), Log::new());
        let one = spawn(write(turns.clone(), log.clone(), &["one"]));
        let two = spawn(write(turns.clone(), log.clone(), &["two"]));
        run(write(turns.clone(), log.clone(), &["three"]));
        one.join().unwrap();
        two.join().unwrap();
        log.end(&turns).len()
    });
    assert_eq!(ends, [3]);
}

#[test]
fn two_may_take_it_again_and_again() {
    let ends = Interleavings::up_to(3).of(|| {
        let (turns, log) = (Turns::new(), Log::new());
        let one = spawn(write(turns.clone(), log.clone(), &["one", "one"]));
        run(write(turns.clone(), log.clone(), &["two", "two"]));
        one.join().unwrap();
        log.end(&turns).len()
    });
    assert_eq!(ends, [4]);
}

#[test]
fn who_does_not_wait_takes_nothing_from_those_who_do() {
    let ends = Interleavings::up_to(3).of(|| {
        let (turns, log) = (Turns::new(), Log::new());
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
    assert_eq!(ends, [2, 3, 4]);
}

#[test]
fn who_comes_again_comes_after_who_waits() {
    let ends = Interleavings::up_to(7).of(|| {
        let (turns, log) = (Turns::new(), Log::new());
        let turn = run(turns.take());
        let waits = spawn(begun(write(turns.clone(), log.clone(), &["waits"])));
        log.write("has it");
        drop(turn);
        run(write(turns.clone(), log.clone(), &["again", "and again"]));
        waits.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(ends, [["has it", "waits", "again", "and again"]]);
}

#[test]
fn who_comes_later_comes_after_who_waits() {
    let ends = Interleavings::up_to(2).of(|| {
        let (turns, log) = (Turns::new(), Log::new());
        let turn = run(turns.take());
        let one = spawn(begun(write(turns.clone(), log.clone(), &["one"])));
        let two = spawn(begun(write(turns.clone(), log.clone(), &["two"])));
        run(turn.release());
        run(write(turns.clone(), log.clone(), &["three"]));
        one.join().unwrap();
        two.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(ends, [["one", "two", "three"]]);
}

#[test]
fn who_does_not_wait_does_not_overtake_who_waits() {
    let ends = Interleavings::up_to(4).of(|| {
        let (turns, log) = (Turns::new(), Log::new());
        let turn = run(turns.take());
        let waits = spawn(begun(write(turns.clone(), log.clone(), &["waits"])));
        drop(turn);
        if let Some(turn) = turns.try_take() {
            log.write("tries");
            drop(turn);
        }
        waits.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(ends, [vec!["waits"], vec!["waits", "tries"]]);
}

#[test]
fn who_is_dropped_while_it_waits_keeps_the_turn_from_nobody() {
    for polls in POLLS {
        let ends = Interleavings::up_to(4).of(move || {
            let (turns, log) = (Turns::new(), Log::new());
            let turn = run(turns.take());
            let one = write(turns.clone(), log.clone(), &["dropped"]);
            let one = spawn(async move { poll_times(polls, one).is_some() });
            let two = spawn(write(turns.clone(), log.clone(), &["two"]));
            drop(turn);
            let came = one.join().unwrap();
            two.join().unwrap();
            (came, log.end(&turns).len())
        });
        let possible = [(false, 1), (true, 2)];
        assert_eq!(ends, if polls == 0 { &possible[..1] } else { &possible });
    }
}

#[test]
fn the_turn_of_who_is_dropped_goes_to_the_next() {
    let ends = Interleavings::up_to(4).of(|| {
        let (turns, log) = (Turns::new(), Log::new());
        let turn = run(turns.take());
        let one = begun(write(turns.clone(), log.clone(), &["dropped"]));
        let two = spawn(begun(write(turns.clone(), log.clone(), &["two"])));
        let dropped = spawn(async move { drop(one) });
        run(turn.release());
        two.join().unwrap();
        dropped.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(ends, [["two"]]);
}

#[test]
fn all_who_wait_may_be_dropped_at_once() {
    let ends = Interleavings::up_to(3).of(|| {
        let (turns, log) = (Turns::new(), Log::new());
        let turn = run(turns.take());
        let one = begun(write(turns.clone(), log.clone(), &["one"]));
        let two = begun(write(turns.clone(), log.clone(), &["two"]));
        let one = spawn(async move { drop(one) });
        let two = spawn(async move { drop(two) });
        drop(turn);
        run(write(turns.clone(), log.clone(), &["three"]));
        one.join().unwrap();
        two.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(ends, [["three"]]);
}

#[test]
fn who_gives_it_back_says_so() {
    let ends = Interleavings::up_to(4).of(|| {
        let (turns, log) = (Turns::new(), Log::new());
        let one = spawn(write(turns.clone(), log.clone(), &["one"]));
        run(turns.released());
        one.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(ends, [["one"]]);
}

/// The driver waits behind one sender and before another.
#[test]
fn the_driver_has_its_place_in_the_queue() {
    let ends = Interleavings::up_to(1).of(|| {
        let (turns, log) = (Turns::new(), Log::new());
        let turn = run(turns.take());
        let one = spawn(begun(write(turns.clone(), log.clone(), &["one"])));
        let (of_driver, its_log) = (turns.clone(), log.clone());
        let driver = spawn(begun(async move {
            let turn = of_driver.take_as_driver().await;
            its_log.write("driver");
            drop(turn);
        }));
        let two = spawn(begun(write(turns.clone(), log.clone(), &["two"])));
        run(turn.release());
        one.join().unwrap();
        driver.join().unwrap();
        two.join().unwrap();
        log.end(&turns)
    });
    assert_eq!(ends, [["one", "driver", "two"]]);
}
