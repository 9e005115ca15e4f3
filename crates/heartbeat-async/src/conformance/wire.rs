use core::cell::RefCell;
use core::fmt;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::rc::Rc;
use std::vec::Vec;

use futures_sink::Sink;

use super::stage::Stage;
use crate::Timer;

/// How much may be handed over in one scenario before it counts as a flood.
const ITEMS: usize = 10_000;

/// How often a sink may be asked in one scenario before it counts as spinning.
const POLLS: usize = 100_000;

/// A sink that is told what to do. Clones are the same sink.
pub(super) struct Wire<T: Timer, I> {
    stage: Stage<T>,
    state: Rc<RefCell<State<I>>>,
}

#[derive(Debug)]
struct State<I> {
    /// What was handed over, and when.
    items: Vec<(I, Duration)>,
    /// How much was handed over in all.
    count: usize,
    flushed: bool,
    mood: Mood,
    /// It has promised to take an item.
    ready: bool,
    closed: bool,
    /// How often it was asked for anything.
    polls: usize,
    /// Of whoever polled it last, if that one waits, as sinks do.
    waker: Option<Waker>,
}

/// What a [`Wire`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// It takes all, and at once.
    Open,
    /// It takes items, and cannot flush them.
    Full,
    /// It takes nothing.
    Blocked,
    /// It fails whatever it is asked.
    Broken,
    /// It says that it is ready, and then takes nothing.
    Refusing,
    /// It fails the next flush, loses what was handed over, and is open again.
    Losing,
    /// It lets others go on first: it wakes whoever asks, and is not ready.
    Yielding,
}

/// The sink failed, or was not used as a sink is to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WireError(&'static str);

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<T: Timer + Clone, I> Clone for Wire<T, I> {
    fn clone(&self) -> Self {
        Self { stage: self.stage.clone(), state: Rc::clone(&self.state) }
    }
}

impl<T: Timer + Clone, I> Wire<T, I> {
    pub(super) fn new(stage: Stage<T>) -> Self {
        Self { stage, state: Rc::new(RefCell::new(State::new())) }
    }

    pub(super) fn set(&self, mood: Mood) {
        let mut state = self.state.borrow_mut();
        state.mood = mood;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What was handed over since this was last asked.
    pub(super) fn take(&self) -> Vec<(I, Duration)> {
        mem::take(&mut self.state.borrow_mut().items)
    }

    /// How often it was asked for anything.
    pub(super) fn polls(&self) -> usize {
        self.state.borrow().polls
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.state.borrow().flushed
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.borrow().closed
    }
}

impl<I> State<I> {
    const fn new() -> Self {
        Self {
            items: Vec::new(),
            count: 0,
            flushed: true,
            mood: Mood::Open,
            ready: false,
            closed: false,
            polls: 0,
            waker: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, waits: bool) -> Poll<Result<(), WireError>> {
        self.polls += 1;
        assert!(self.polls < POLLS, "the glue spins: it has asked the sink {POLLS} times");
        self.waker = None; // what is not waited for any more wakes nobody
        match self.mood {
            Mood::Broken => return Poll::Ready(Err(WireError("it is broken"))),
            Mood::Yielding => cx.waker().wake_by_ref(),
            _ if waits => self.waker = Some(cx.waker().clone()),
            _ => return Poll::Ready(Ok(())),
        }
        Poll::Pending
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        if self.mood == Mood::Losing && !self.flushed {
            (self.mood, self.flushed) = (Mood::Open, true);
            return Poll::Ready(Err(WireError("it has lost what there was")));
        }
        let waits = matches!(self.mood, Mood::Full | Mood::Blocked) && !self.flushed;
        let polled = self.poll(cx, waits);
        if let Poll::Ready(Ok(())) = polled {
            self.flushed = true;
        }
        polled
    }
}

impl<T: Timer + Clone, I> Sink<I> for Wire<T, I> {
    type Error = WireError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        let mut state = self.state.borrow_mut();
        let waits = state.mood == Mood::Blocked;
        let polled = state.poll(cx, waits);
        state.ready = matches!(polled, Poll::Ready(Ok(())));
        polled
    }

    fn start_send(self: Pin<&mut Self>, item: I) -> Result<(), WireError> {
        let mut state = self.state.borrow_mut();
        if !mem::take(&mut state.ready) {
            return Err(WireError("it was not asked whether it is ready"));
        }
        if state.mood == Mood::Refusing {
            return Err(WireError("it refuses"));
        }
        state.count += 1;
        if state.count > ITEMS {
            return Err(WireError("it is flooded"));
        }
        state.flushed = false;
        state.items.push((item, self.stage.now()));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        self.state.borrow_mut().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        let mut state = self.state.borrow_mut();
        let flushed = state.poll_flush(cx);
        state.closed = matches!(flushed, Poll::Ready(Ok(())));
        flushed
    }
}
