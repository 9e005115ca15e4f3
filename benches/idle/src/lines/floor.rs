//! The least that any heartbeat costs: a task that is woken once per interval, together with all of the same
//! 64th, by another one that keeps nothing but its waker. There is no clock and no deadline in it, and nothing
//! can be sent: what it takes is the runtime's.

use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::Stream;

pub(super) const SLOTS: u32 = 64;

/// Who waits, by the 64th of the interval in which they are woken.
#[derive(Debug)]
pub(super) struct Board {
    slots: [Mutex<Vec<Waker>>; SLOTS as usize],
    latest: AtomicUsize,
}

impl Board {
    pub(super) fn new() -> Arc<Self> {
        let slots = [const { Mutex::new(Vec::new()) }; SLOTS as usize];
        Arc::new(Self { slots, latest: AtomicUsize::new(0) })
    }

    /// Wakes those who have waited longest. To be called once per 64th.
    pub(super) fn wake_next(&self) {
        self.latest.fetch_add(1, Ordering::Relaxed);
        let up = mem::take(&mut *self.slot());
        up.into_iter().for_each(Waker::wake);
    }

    fn slot(&self) -> MutexGuard<'_, Vec<Waker>> {
        let latest = self.latest.load(Ordering::Relaxed) % self.slots.len();
        self.slots[latest].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Yields an item whenever it is polled after it has waited.
#[derive(Debug)]
pub(super) struct Woken {
    board: Arc<Board>,
    waits: bool,
}

impl Woken {
    pub(super) fn by(board: &Arc<Board>) -> Self {
        Self { board: Arc::clone(board), waits: false }
    }
}

impl Stream for Woken {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        if mem::replace(&mut self.waits, true) {
            self.waits = false;
            return Poll::Ready(Some(()));
        }
        self.board.slot().push(cx.waker().clone());
        Poll::Pending
    }
}
