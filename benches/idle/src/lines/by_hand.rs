//! Heartbeats as applications write them by hand: a timer in each stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::Stream;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

/// A timer that can be reset.
pub(super) trait Resettable: Future {
    fn set_after(self: Pin<&mut Self>, interval: Duration);
}

impl Resettable for Sleep {
    fn set_after(self: Pin<&mut Self>, interval: Duration) {
        self.reset(Instant::now() + interval);
    }
}

impl Resettable for Pin<Box<Sleep>> {
    fn set_after(self: Pin<&mut Self>, interval: Duration) {
        self.get_mut().as_mut().set_after(interval);
    }
}

impl Resettable for async_io::Timer {
    fn set_after(mut self: Pin<&mut Self>, interval: Duration) {
        async_io::Timer::set_after(&mut self, interval);
    }
}

pin_project! {
    pub(super) struct ByHand<S, A> {
        #[pin]
        inner: S,
        #[pin]
        timer: A,
        // A reference, to add as little as the constant of a real application would.
        interval: &'static Duration,
    }
}

/// Returns a function that adds heartbeats to a stream, with timers that `set` creates.
pub(super) fn by_hand<S, A>(
    interval: Duration,
    set: impl Fn(Duration) -> A,
) -> impl Fn(S) -> ByHand<S, A> {
    let interval: &'static Duration = Box::leak(Box::new(interval));
    move |inner| ByHand { inner, timer: set(*interval), interval }
}

impl<S: Stream<Item = ()>, A: Resettable> Stream for ByHand<S, A> {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        let mut this = self.project();
        let item = match this.inner.poll_next(cx) {
            Poll::Ready(item) => item,
            Poll::Pending => {
                ready!(this.timer.as_mut().poll(cx));
                Some(())
            }
        };
        this.timer.set_after(**this.interval);
        Poll::Ready(item)
    }
}
