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
    let state =
        State { log: Vec::new(), room, flushed: true, sender: None, kept: None, watcher: None };
    let peer = Peer(Arc::new(Mutex::new(state)));
    (Wire { peer: peer.clone(), promised: false, touched: UnsafeCell::new(()) }, peer)
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
    /// Of whoever polled the sink last: sinks remember no more.
    sender: Option<Waker>,
    /// A waker of the sink's users. What it wakes lives until the peer is asked for its log: loom would
    /// not know that who drops the last waker comes after the others.
    kept: Option<Waker>,
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
    /// Nothing any more: it was closed.
    Closed,
}

/// The sink was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sink was closed")
    }
}

impl std::error::Error for Refused {}

impl Peer {
    /// Makes room, and wakes whoever polled the sink last.
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
    /// If somebody still has the sink or the clock.
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

    fn poll_flush(&mut self, cx: &Context<'_>) -> Poll<Result<(), Refused>> {
        self.kept.get_or_insert_with(|| cx.waker().clone());
        if !self.flushed && matches!(self.room, Room::Full | Room::Blocked) {
            self.sender = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if !mem::replace(&mut self.flushed, true) {
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
    type Error = Refused;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        let this = self.get_mut();
        let mut state = this.touch();
        let room = state.room;
        if room == Room::Blocked {
            state.sender = Some(cx.waker().clone());
            return Poll::Pending;
        }
        drop(state);
        this.promised = room != Room::Closed;
        Poll::Ready(if this.promised { Ok(()) } else { Err(Refused) })
    }

    fn start_send(self: Pin<&mut Self>, item: &'static str) -> Result<(), Refused> {
        let this = self.get_mut();
        assert!(mem::take(&mut this.promised), "it was not asked whether it is ready");
        let mut state = this.touch();
        assert!(state.room != Room::Blocked && state.room != Room::Closed, "no room");
        state.flushed = false;
        state.note(item);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.get_mut().touch().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        let mut state = self.get_mut().touch();
        let flushed = state.poll_flush(cx);
        if flushed.is_ready() && state.room != Room::Closed {
            state.room = Room::Closed;
            state.note("closed");
        }
        flushed
    }
}
