//! Two wrappers as applications write them by hand.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_io::Timer;
use futures_core::Stream;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};

use crate::INTERVAL;

pin_project! {
    /// A heartbeat written by hand on tokio: each item resets the sleep.
    pub(crate) struct SleepReset<S> {
        #[pin]
        inner: S,
        #[pin]
        sleep: Sleep,
    }
}

impl<S> SleepReset<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, sleep: sleep(INTERVAL) }
    }
}

impl<S: Stream<Item = u32>> Stream for SleepReset<S> {
    type Item = u32;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        let mut this = self.project();
        let item = match this.inner.poll_next(cx) {
            Poll::Ready(Some(item)) => item,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                ready!(this.sleep.as_mut().poll(cx));
                0
            }
        };
        this.sleep.reset(Instant::now() + INTERVAL);
        Poll::Ready(Some(item))
    }
}

pin_project! {
    /// A heartbeat written by hand on async-io: each item resets the timer.
    pub(crate) struct TimerSetAfter<S> {
        #[pin]
        inner: S,
        #[pin]
        timer: Timer,
    }
}

impl<S> TimerSetAfter<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, timer: Timer::after(INTERVAL) }
    }
}

impl<S: Stream<Item = u32>> Stream for TimerSetAfter<S> {
    type Item = u32;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        let mut this = self.project();
        let item = match this.inner.poll_next(cx) {
            Poll::Ready(Some(item)) => item,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                ready!(Future::poll(this.timer.as_mut(), cx));
                0
            }
        };
        this.timer.set_after(INTERVAL);
        Poll::Ready(Some(item))
    }
}
