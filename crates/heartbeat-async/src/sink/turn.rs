use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use event_listener::{Event, EventListener, Listener};

/// Whose turn it is. Turns are given in the order in which they were asked for: who has it hands it to
/// the one who has waited longest, and it is nobody's only while nobody waits.
#[derive(Debug, Default)]
pub struct Turns {
    /// [`TAKEN`], and [`WAITS`] for each who waits.
    state: AtomicUsize,
    /// Hands the turn on. One who hears it has the turn: it is never told in vain, and never told on.
    handed_on: Event,
    /// The turn was given back, and not by the driver.
    given_back: Event,
    /// The driver listens to that: to tell nobody would cost as much as the turn itself.
    heeded: AtomicBool,
}

/// Somebody has the turn, or was handed it and has not heard of it yet.
const TAKEN: usize = 1;
const WAITS: usize = 2;

/// A turn. Dropping it gives it back.
#[derive(Debug)]
#[must_use = "it is given back when it is dropped"]
pub struct Turn<'a>(&'a Turns);

impl Turns {
    /// Takes the turn if nobody has it.
    pub fn try_take(&self) -> Option<Turn<'_>> {
        self.state.compare_exchange(0, TAKEN, SeqCst, SeqCst).ok().map(|_| Turn(self))
    }

    /// Hears of turns that are given back from here on. For the driver alone.
    pub fn given_back(&self) -> GivenBack<'_> {
        let listener = self.given_back.listen();
        self.heeded.store(true, SeqCst);
        GivenBack { turns: self, listener }
    }

    /// Waits for the turn.
    pub async fn take(&self) -> Turn<'_> {
        if let Some(turn) = self.try_take() {
            return turn;
        }
        // First, so that each who is counted can be handed the turn.
        let handed_on = self.handed_on.listen();
        let next = |state| Some(if state == 0 { TAKEN } else { state + WAITS });
        if self.state.fetch_update(SeqCst, SeqCst, next) == Ok(0) {
            return Turn(self);
        }
        let mut place = Place { turns: self, handed_on: Some(handed_on) };
        if let Some(handed_on) = &mut place.handed_on {
            handed_on.await;
        }
        place.handed_on = None;
        Turn(self)
    }
}

impl Turn<'_> {
    /// Gives it back without a word to the driver, which knows.
    pub fn give_back_quietly(self) {
        self.hand_on();
        mem::forget(self);
    }

    fn hand_on(&self) {
        let turns = self.0;
        // Whoever is counted and does not hear has left since, and is not counted the next time.
        while turns.state.compare_exchange(TAKEN, 0, SeqCst, SeqCst).is_err() {
            if turns.handed_on.notify_additional(1) == 1 {
                break;
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.hand_on();
        if self.0.heeded.load(SeqCst) {
            self.0.given_back.notify(usize::MAX);
        }
    }
}

/// Ready once the turn was given back.
#[derive(Debug)]
pub struct GivenBack<'a> {
    turns: &'a Turns,
    listener: EventListener,
}

impl Future for GivenBack<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.listener).poll(cx)
    }
}

impl Drop for GivenBack<'_> {
    fn drop(&mut self) {
        self.turns.heeded.store(false, SeqCst);
    }
}

/// A place among those who wait.
struct Place<'a> {
    turns: &'a Turns,
    handed_on: Option<EventListener>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // First, so that nobody who is counted cannot be handed the turn.
        self.turns.state.fetch_sub(WAITS, SeqCst);
        if self.handed_on.take().is_some_and(Listener::discard) {
            drop(Turn(self.turns)); // which it did not hear of
        }
    }
}
