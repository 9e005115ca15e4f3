//! A sink for the scenarios: its behaviour is set from outside.

use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_sink::Sink;

/// How many items a sink may get in one scenario before it counts as flooded.
const ITEMS: usize = 10_000;

/// How often a sink may be polled in one scenario before the glue counts as spinning.
const POLLS: usize = 100_000;

/// A sink whose behaviour a scenario sets. Clones are the same sink.
#[derive(Clone)]
pub(crate) struct TestSink {
    now: Rc<dyn Fn() -> Duration>,
    state: Rc<RefCell<State>>,
}

#[derive(Debug)]
struct State {
    /// The items it got, and when.
    items: Vec<(&'static str, Duration)>,
    /// The number of items it got since the beginning.
    count: usize,
    flushed: bool,
    behaviour: SinkBehaviour,
    /// `poll_ready` has returned ready, and no item has come since.
    ready: bool,
    closed: bool,
    /// How often it was polled.
    polls: usize,
    /// The waker of the last poll, if that poll was pending. Sinks keep no more.
    waker: Option<Waker>,
}

/// What a [`TestSink`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SinkBehaviour {
    /// Takes items and flushes them at once.
    Open,
    /// Takes items, and does not flush them.
    Full,
    /// Is not ready.
    Blocked,
    /// Every call fails.
    Broken,
    /// Is ready, and then refuses the item.
    Refusing,
    /// Fails the next flush, loses what it has got, and is open again.
    Losing,
    /// Is not ready, but wakes the task at once.
    Yielding,
}

/// The sink failed, or the glue broke the contract of a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SinkError(&'static str);

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl TestSink {
    /// `now` gives the times of the items.
    pub(crate) fn new(now: impl Fn() -> Duration + 'static) -> Self {
        Self { now: Rc::new(now), state: Rc::new(RefCell::new(State::new())) }
    }

    pub(crate) fn set(&self, behaviour: SinkBehaviour) {
        let mut state = self.state.borrow_mut();
        state.behaviour = behaviour;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The items that the sink got since the last call.
    pub(crate) fn take(&self) -> Vec<(&'static str, Duration)> {
        mem::take(&mut self.state.borrow_mut().items)
    }

    /// How often it was polled.
    pub(crate) fn polls(&self) -> usize {
        self.state.borrow().polls
    }

    pub(crate) fn is_flushed(&self) -> bool {
        self.state.borrow().flushed
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.borrow().closed
    }
}

impl State {
    const fn new() -> Self {
        Self {
            items: Vec::new(),
            count: 0,
            flushed: true,
            behaviour: SinkBehaviour::Open,
            ready: false,
            closed: false,
            polls: 0,
            waker: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, waits: bool) -> Poll<Result<(), SinkError>> {
        self.polls += 1;
        assert!(self.polls < POLLS, "the glue spins: it has polled the sink {POLLS} times");
        self.waker = None; // a poll that is not pending leaves no waker
        match self.behaviour {
            SinkBehaviour::Broken => return Poll::Ready(Err(SinkError("it is broken"))),
            SinkBehaviour::Yielding => cx.waker().wake_by_ref(),
            _ if waits => self.waker = Some(cx.waker().clone()),
            _ => return Poll::Ready(Ok(())),
        }
        Poll::Pending
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        if self.behaviour == SinkBehaviour::Losing && !self.flushed {
            (self.behaviour, self.flushed) = (SinkBehaviour::Open, true);
            return Poll::Ready(Err(SinkError("it has lost what it got")));
        }
        let waits =
            matches!(self.behaviour, SinkBehaviour::Full | SinkBehaviour::Blocked) && !self.flushed;
        let polled = self.poll(cx, waits);
        if let Poll::Ready(Ok(())) = polled {
            self.flushed = true;
        }
        polled
    }
}

impl Sink<&'static str> for TestSink {
    type Error = SinkError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        let mut state = self.state.borrow_mut();
        let waits = state.behaviour == SinkBehaviour::Blocked;
        let polled = state.poll(cx, waits);
        state.ready = matches!(polled, Poll::Ready(Ok(())));
        polled
    }

    fn start_send(self: Pin<&mut Self>, item: &'static str) -> Result<(), SinkError> {
        let mut state = self.state.borrow_mut();
        if !mem::take(&mut state.ready) {
            return Err(SinkError("start_send without poll_ready"));
        }
        if state.behaviour == SinkBehaviour::Refusing {
            return Err(SinkError("it refuses the item"));
        }
        state.count += 1;
        if state.count > ITEMS {
            return Err(SinkError("it is flooded"));
        }
        state.flushed = false;
        state.items.push((item, (self.now)()));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        self.state.borrow_mut().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        let mut state = self.state.borrow_mut();
        let flushed = state.poll_flush(cx);
        state.closed = matches!(flushed, Poll::Ready(Ok(())));
        flushed
    }
}
