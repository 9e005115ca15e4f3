use core::mem;
use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use event_listener::Event;

/// Whose turn it is. Turns are given in the order in which they were asked for: who comes while
/// somebody waits, waits too.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// [`ONE`] for each who has the turn or waits for it, and [`PROMISED`].
    state: AtomicUsize,
    /// Tells the one who has waited longest that the turn is promised.
    promised: Event,
    /// The turn was given back, and not by the driver.
    pub(super) given_back: Event,
}

/// Nobody has the turn, and it is kept for those who wait.
const PROMISED: usize = 1;
const ONE: usize = 2;

/// A turn. Dropping it gives it back.
#[derive(Debug)]
#[must_use = "it is given back when it is dropped"]
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    /// Takes the turn if nobody has it, and nobody waits for it.
    pub(super) fn try_take(&self) -> Option<Turn<'_>> {
        self.state.compare_exchange(0, ONE, SeqCst, SeqCst).ok().map(|_| Turn(self))
    }

    /// Waits for the turn.
    pub(super) async fn take(&self) -> Turn<'_> {
        if self.state.fetch_add(ONE, SeqCst) == 0 {
            return Turn(self);
        }
        let place = Place(self);
        loop {
            let promised = self.promised.listen();
            if self.state.load(SeqCst) & PROMISED != 0 {
                // Maybe there was nobody to hear it. Not for us: the one who has waited longest hears.
                self.promised.notify(1);
            }
            promised.await;
            if self.state.fetch_and(!PROMISED, SeqCst) & PROMISED != 0 {
                mem::forget(place);
                return Turn(self);
            }
        }
    }

    /// Counts one fewer, and tells whether those who are left are promised the turn.
    fn leave(&self, has_turn: bool) -> bool {
        let next = |state: usize| {
            let left = state.saturating_sub(ONE);
            match left & !PROMISED {
                0 => 0,
                waiting if has_turn => waiting | PROMISED,
                _ => left,
            }
        };
        let updated = self.state.fetch_update(SeqCst, SeqCst, |state| Some(next(state)));
        next(updated.unwrap_or_else(|state| state)) & PROMISED != 0
    }
}

impl Turn<'_> {
    /// Gives it back without a word to the driver, which knows.
    pub(super) fn give_back_quietly(self) {
        self.pass_on();
        mem::forget(self);
    }

    fn pass_on(&self) {
        if self.0.leave(true) {
            self.0.promised.notify(1);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pass_on();
        self.0.given_back.notify(usize::MAX);
    }
}

/// A place among those who wait.
struct Place<'a>(&'a Turns);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // What it was told was told on to the next already, when its listener was dropped.
        if !self.0.leave(false) {
            self.0.given_back.notify(usize::MAX);
        }
    }
}
