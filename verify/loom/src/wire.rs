//! A sink, and the peer at its other end.

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

/// A sink, and its other end.
pub(crate) fn wire(room: Room) -> (Wire, Peer) {
    let peer = log();
    peer.set(room);
    (Wire { peer: peer.clone(), promised: false, touched: UnsafeCell::new(()) }, peer)
}

/// Where there is no sink, somewhere to note what happens.
pub(crate) fn log() -> Peer {
    let (log, room) = (Vec::new(), Room::Open);
    let state = State { log, room, flushed: true, sender: None, watcher: None };
    Peer(Arc::new(Mutex::new(state)))
}

/// The sink.
#[derive(Debug)]
pub struct Wire {
    peer: Peer,
    /// It has said that it is ready.
    promised: bool,
    /// loom tells whether two threads are at it at once, and whether one does not see what another
    /// has done to it.
    touched: UnsafeCell<()>,
}

/// Its other end, which makes room and sees what comes. Clones are the same peer.
#[derive(Debug, Clone)]
pub struct Peer(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    log: Vec<&'static str>,
    room: Room,
    flushed: bool,
    /// Of the task that polled the sink last and has to wait: a sink stores only one waker.
    sender: Option<Waker>,
    watcher: Option<Waker>,
}

/// What a [`Wire`] has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// All, at once.
    Open,
    /// Items, but they do not leave.
    Full,
    /// Nothing.
    Blocked,
    /// All, but who asks has to wait first, and is woken at once.
    Coy,
    /// Items, but the flush fails. What failed is forgotten, and all is open again.
    Lossy,
    /// Nothing any more: it was closed.
    Closed,
}

/// Why the sink did not do what it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failed {
    /// It was closed.
    Closed,
    /// What it had was lost.
    Lost,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the sink was closed",
            Self::Lost => "the sink has lost what it had",
        })
    }
}

impl std::error::Error for Failed {}

impl Peer {
    /// Makes room, and wakes the task that polled the sink last.
    ///
    /// # Panics
    ///
    /// If the sink did.
    pub fn set(&self, room: Room) {
        let mut state = self.state();
        state.room = room;
        let waker = state.sender.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Writes down that something has happened, between what was handed over.
    ///
    /// # Panics
    ///
    /// If the sink did.
    pub fn note(&self, what: &'static str) {
        self.state().note(what);
    }

    /// Whether something was handed over or noted.
    ///
    /// # Panics
    ///
    /// If the sink did.
    #[must_use]
    pub fn has(&self, what: &'static str) -> bool {
        self.state().log.contains(&what)
    }

    /// Waits until something was handed over or noted.
    ///
    /// # Panics
    ///
    /// If the sink did.
    pub async fn sees(&self, what: &'static str) {
        self.until(|state| state.log.contains(&what)).await;
    }

    /// Waits until that was handed over and has left.
    ///
    /// # Panics
    ///
    /// If the sink did.
    pub async fn receives(&self, what: &'static str) {
        self.until(|state| state.log.contains(&what) && state.flushed).await;
    }

    /// What was handed over and noted, in order, with "and is not flushed" behind it if it is not.
    ///
    /// # Panics
    ///
    /// If the sink or the clock is still referenced.
    #[must_use]
    pub fn log(self, clock: &Clock) -> Vec<&'static str> {
        let state = Arc::into_inner(self.0).expect("the sink has leaked").into_inner().unwrap();
        assert!(clock.is_the_last(), "a timer has leaked, or an alarm");
        let mut log = state.log;
        if !state.flushed {
            log.push("and is not flushed");
        }
        log
    }

    async fn until(&self, so: impl Fn(&State) -> bool) {
        poll_fn(|cx| {
            let mut state = self.state();
            if so(&state) {
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
        self.show();
    }

    fn show(&mut self) {
        if let Some(watcher) = self.watcher.take() {
            watcher.wake();
        }
    }

    /// A poll replaces the waker of the sink, or removes it if the task does not have to wait.
    fn has_to_wait(&mut self, cx: &Context<'_>, so: bool) -> bool {
        self.sender = so.then(|| cx.waker().clone());
        if self.room == Room::Coy {
            self.room = Room::Open;
            cx.waker().wake_by_ref();
            return true;
        }
        so
    }

    fn poll_flush(&mut self, cx: &Context<'_>) -> Poll<Result<(), Failed>> {
        let keeps = matches!(self.room, Room::Full | Room::Blocked);
        if self.has_to_wait(cx, !self.flushed && keeps) {
            return Poll::Pending;
        }
        let flushed = mem::replace(&mut self.flushed, true);
        if !flushed && self.room == Room::Lossy {
            self.room = Room::Open;
            self.note("lost");
            return Poll::Ready(Err(Failed::Lost));
        }
        if !flushed {
            self.show();
        }
        Poll::Ready(Ok(()))
    }
}

impl Wire {
    fn touch(&mut self) -> MutexGuard<'_, State> {
        self.touched.with_mut(|_| ());
        self.peer.state()
    }
}

impl Sink<&'static str> for Wire {
    type Error = Failed;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        let this = self.get_mut();
        let mut state = this.touch();
        let blocked = state.room == Room::Blocked;
        if state.has_to_wait(cx, blocked) {
            return Poll::Pending;
        }
        let closed = state.room == Room::Closed;
        drop(state);
        this.promised = !closed;
        Poll::Ready(if closed { Err(Failed::Closed) } else { Ok(()) })
    }

    fn start_send(self: Pin<&mut Self>, item: &'static str) -> Result<(), Failed> {
        let this = self.get_mut();
        assert!(mem::take(&mut this.promised), "it was not asked whether it is ready");
        let mut state = this.touch();
        assert!(state.room != Room::Blocked && state.room != Room::Closed, "no room");
        state.flushed = false;
        state.note(item);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.get_mut().touch().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        let mut state = self.get_mut().touch();
        let flushed = state.poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) && state.room != Room::Closed {
            state.room = Room::Closed;
            state.note("closed");
        }
        flushed
    }
}
