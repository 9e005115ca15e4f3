use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::Stream;
use futures_util::task::AtomicWaker;

/// How a task that watches the time for all tells another one that it is time.
#[derive(Debug, Default)]
pub(super) struct Bell {
    waker: AtomicWaker,
    rung: AtomicBool,
}

impl Bell {
    pub(super) fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.waker.wake();
    }
}

/// Yields an item whenever its bell has rung.
#[derive(Debug)]
pub(super) struct Rings(pub(super) Arc<Bell>);

impl Stream for Rings {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.0.waker.register(cx.waker());
        if self.0.rung.swap(false, Ordering::AcqRel) {
            Poll::Ready(Some(()))
        } else {
            Poll::Pending
        }
    }
}
