//! The least CPU time that heartbeats can take. Each task is woken once per interval, together with all tasks of the
//! same 64th of the interval, by a task that has only the wakers. The streams have no clock and no deadline; what is
//! left is the cost of the runtime.

use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::Stream;

pub(super) const SLOTS: u32 = 64;

/// The wakers, by the 64th of the interval in which they are woken.
#[derive(Debug)]
pub(super) struct WakeSlots {
    slots: [Mutex<Vec<Waker>>; SLOTS as usize],
    latest: AtomicUsize,
}

impl WakeSlots {
    pub(super) fn new() -> Arc<Self> {
        let slots = [const { Mutex::new(Vec::new()) }; SLOTS as usize];
        Arc::new(Self { slots, latest: AtomicUsize::new(0) })
    }

    /// Wakes the tasks that have waited longest. Called once per 64th of the interval.
    pub(super) fn wake_next(&self) {
        let next = self.latest.load(Ordering::Relaxed) + 1;
        let due = mem::take(&mut *self.slot(next));
        self.latest.store(next, Ordering::Relaxed); // after the wakers are taken, because new ones go into this slot
        due.into_iter().for_each(Waker::wake);
    }

    fn slot(&self, number: usize) -> MutexGuard<'_, Vec<Waker>> {
        self.slots[number % self.slots.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that is alternately pending and ready: each wake-up yields an item.
#[derive(Debug)]
pub(super) struct WokenStream {
    slots: Arc<WakeSlots>,
    waiting: bool,
}

impl WokenStream {
    pub(super) fn new(slots: &Arc<WakeSlots>) -> Self {
        Self { slots: Arc::clone(slots), waiting: false }
    }
}

impl Stream for WokenStream {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.waiting = !self.waiting;
        if !self.waiting {
            return Poll::Ready(Some(()));
        }
        let latest = self.slots.latest.load(Ordering::Relaxed);
        self.slots.slot(latest).push(cx.waker().clone());
        Poll::Pending
    }
}
