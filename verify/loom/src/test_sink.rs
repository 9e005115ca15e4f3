//! A sink, and the peer that receives its items.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_sink::Sink;
use loom::cell::UnsafeCell;
use loom::sync::{Mutex, MutexGuard};

use crate::Clock;

/// A sink and its peer.
pub(crate) fn test_sink(capacity: Capacity) -> (LoomSink, SinkPeer) {
    let peer = new_log();
    peer.set(capacity);
    (LoomSink { peer: peer.clone(), ready: false, touched: UnsafeCell::new(()) }, peer)
}

/// A peer without a sink, to record what happens.
pub(crate) fn new_log() -> SinkPeer {
    let (log, capacity) = (Vec::new(), Capacity::Open);
    let state = State { log, capacity, flushed: true, sender: None, watcher: None };
    SinkPeer(Arc::new(Mutex::new(state)))
}

/// The sink.
#[derive(Debug)]
pub struct LoomSink {
    peer: SinkPeer,
    /// `poll_ready` has returned ready.
    ready: bool,
    /// With it loom detects two threads that use the sink at once, and a thread that does not see what another one has
    /// done to it.
    touched: UnsafeCell<()>,
}

/// The peer of a [`LoomSink`]: it sets the capacity, and sees the items. Clones are the same peer.
#[derive(Debug, Clone)]
pub struct SinkPeer(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    log: Vec<&'static str>,
    capacity: Capacity,
    flushed: bool,
    /// The waker of the task that polled the sink last, if that task has to wait: a sink stores only one waker.
    sender: Option<Waker>,
    watcher: Option<Waker>,
}

/// What a [`LoomSink`] accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// Items, and it flushes them at once.
    Open,
    /// Items, but it cannot flush them.
    Full,
    /// No items.
    Blocked,
    /// As `Open`, but the next poll is pending, and wakes its task at once.
    ReadyOnSecondPoll,
    /// Items, but the next flush fails and loses them. Then the sink is open.
    LosesItemOnce,
    /// No items any more: the sink was closed.
    Closed,
}

/// Why the sink failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoomSinkError {
    /// The sink was closed.
    Closed,
    /// Its items were lost.
    Lost,
}

impl fmt::Display for LoomSinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the sink was closed",
            Self::Lost => "the sink has lost its items",
        })
    }
}

impl std::error::Error for LoomSinkError {}

impl SinkPeer {
    /// Sets the capacity, and wakes the task that polled the sink last.
    ///
    /// # Panics
    ///
    /// If the sink has panicked.
    pub fn set(&self, capacity: Capacity) {
        let mut state = self.state();
        state.capacity = capacity;
        let waker = state.sender.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Records that something has happened, in the order of the items.
    ///
    /// # Panics
    ///
    /// If the sink has panicked.
    pub fn note(&self, what: &'static str) {
        self.state().note(what);
    }

    /// Whether an item was sent, or something recorded.
    ///
    /// # Panics
    ///
    /// If the sink has panicked.
    #[must_use]
    pub fn has(&self, what: &'static str) -> bool {
        self.state().log.contains(&what)
    }

    /// Waits until an item was sent, or something recorded.
    ///
    /// # Panics
    ///
    /// If the sink has panicked.
    pub async fn sees(&self, what: &'static str) {
        self.until(|state| state.log.contains(&what)).await;
    }

    /// Waits until an item was sent and flushed.
    ///
    /// # Panics
    ///
    /// If the sink has panicked.
    pub async fn receives(&self, what: &'static str) {
        self.until(|state| state.log.contains(&what) && state.flushed).await;
    }

    /// What was sent and recorded, in order, followed by "not flushed" if the sink is not flushed.
    ///
    /// # Panics
    ///
    /// If the sink or the clock is still referenced.
    #[must_use]
    pub fn log(self, clock: &Clock) -> Vec<&'static str> {
        let state = Arc::into_inner(self.0).expect("the sink has leaked").into_inner().unwrap();
        assert!(clock.is_the_last(), "a timer or a sleep has leaked");
        let mut log = state.log;
        if !state.flushed {
            log.push("not flushed");
        }
        log
    }

    async fn until(&self, condition: impl Fn(&State) -> bool) {
        poll_fn(|cx| {
            let mut state = self.state();
            if condition(&state) {
                return Poll::Ready(());
            }
            state.watcher = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    fn note(&mut self, what: &'static str) {
        self.log.push(what);
        self.wake_watcher();
    }

    fn wake_watcher(&mut self) {
        if let Some(watcher) = self.watcher.take() {
            watcher.wake();
        }
    }

    /// A poll replaces the waker of the sink, or removes it if the task does not have to wait.
    fn has_to_wait(&mut self, cx: &Context<'_>, blocked: bool) -> bool {
        self.sender = blocked.then(|| cx.waker().clone());
        if self.capacity == Capacity::ReadyOnSecondPoll {
            self.capacity = Capacity::Open;
            cx.waker().wake_by_ref();
            return true;
        }
        blocked
    }

    fn poll_flush(&mut self, cx: &Context<'_>) -> Poll<Result<(), LoomSinkError>> {
        let cannot_flush = matches!(self.capacity, Capacity::Full | Capacity::Blocked);
        if self.has_to_wait(cx, !self.flushed && cannot_flush) {
            return Poll::Pending;
        }
        let flushed = mem::replace(&mut self.flushed, true);
        if !flushed && self.capacity == Capacity::LosesItemOnce {
            self.capacity = Capacity::Open;
            self.note("lost");
            return Poll::Ready(Err(LoomSinkError::Lost));
        }
        if !flushed {
            self.wake_watcher();
        }
        Poll::Ready(Ok(()))
    }
}

impl LoomSink {
    fn touch(&mut self) -> MutexGuard<'_, State> {
        self.touched.with_mut(|_| ());
        self.peer.state()
    }
}

impl Sink<&'static str> for LoomSink {
    type Error = LoomSinkError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), LoomSinkError>> {
        let this = self.get_mut();
        let mut state = this.touch();
        let blocked = state.capacity == Capacity::Blocked;
        if state.has_to_wait(cx, blocked) {
            return Poll::Pending;
        }
        let closed = state.capacity == Capacity::Closed;
        drop(state);
        this.ready = !closed;
        Poll::Ready(if closed { Err(LoomSinkError::Closed) } else { Ok(()) })
    }

    fn start_send(self: Pin<&mut Self>, item: &'static str) -> Result<(), LoomSinkError> {
        let this = self.get_mut();
        assert!(mem::take(&mut this.ready), "`start_send` without `poll_ready`");
        let mut state = this.touch();
        assert!(
            state.capacity != Capacity::Blocked && state.capacity != Capacity::Closed,
            "no capacity"
        );
        state.flushed = false;
        state.note(item);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), LoomSinkError>> {
        self.get_mut().touch().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), LoomSinkError>> {
        let mut state = self.get_mut().touch();
        let flushed = state.poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) && state.capacity != Capacity::Closed {
            state.capacity = Capacity::Closed;
            state.note("closed");
        }
        flushed
    }
}
