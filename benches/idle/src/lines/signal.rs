use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::Stream;
use futures_util::task::AtomicWaker;

/// A signal from the task that keeps all deadlines to the task of one stream.
#[derive(Debug, Default)]
pub(super) struct Signal {
    waker: AtomicWaker,
    set: AtomicBool,
}

impl Signal {
    pub(super) fn set(&self) {
        self.set.store(true, Ordering::Release);
        self.waker.wake();
    }
}

/// Yields an item whenever its signal was set.
#[derive(Debug)]
pub(super) struct Signals(pub(super) Arc<Signal>);

impl Stream for Signals {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.0.waker.register(cx.waker());
        if self.0.set.swap(false, Ordering::AcqRel) { Poll::Ready(Some(())) } else { Poll::Pending }
    }
}
