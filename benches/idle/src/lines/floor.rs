//! The least CPU that any heartbeat takes: each task is woken once per interval, together with all of the same
//! 64th, by one that knows nothing of it but its waker. A stream has no clock and no deadline, and nothing
//! could be sent: what is left is the runtime's.

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
        let next = self.latest.load(Ordering::Relaxed) + 1;
        let up = mem::take(&mut *self.slot(next));
        self.latest.store(next, Ordering::Relaxed); // first they are taken, then others wait in their place
        up.into_iter().for_each(Waker::wake);
    }

    fn slot(&self, number: usize) -> MutexGuard<'_, Vec<Waker>> {
        self.slots[number % self.slots.len()].lock().unwrap_or_else(PoisonError::into_inner)
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
        self.waits = !self.waits;
        if !self.waits {
            return Poll::Ready(Some(()));
        }
        let latest = self.board.latest.load(Ordering::Relaxed);
        self.board.slot(latest).push(cx.waker().clone());
        Poll::Pending
    }
}
