//! Heartbeats as one writes them by hand: an alarm in each stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::Stream;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

/// An alarm that can be set again.
pub(super) trait Alarm: Future {
    fn set_after(self: Pin<&mut Self>, interval: Duration);
}

impl Alarm for Sleep {
    fn set_after(self: Pin<&mut Self>, interval: Duration) {
        self.reset(Instant::now() + interval);
    }
}

impl Alarm for Pin<Box<Sleep>> {
    fn set_after(self: Pin<&mut Self>, interval: Duration) {
        self.get_mut().as_mut().set_after(interval);
    }
}

impl Alarm for async_io::Timer {
    fn set_after(mut self: Pin<&mut Self>, interval: Duration) {
        async_io::Timer::set_after(&mut self, interval);
    }
}

pin_project! {
    pub(super) struct ByHand<S, A> {
        #[pin]
        inner: S,
        #[pin]
        alarm: A,
        // In earnest it would be a constant: as little as can be.
        interval: &'static Duration,
    }
}

/// Streams that beat once per interval, by alarms that are set for it by `set`.
pub(super) fn by_hand<S, A>(
    interval: Duration,
    set: impl Fn(Duration) -> A,
) -> impl Fn(S) -> ByHand<S, A> {
    let interval: &'static Duration = Box::leak(Box::new(interval));
    move |inner| ByHand { inner, alarm: set(*interval), interval }
}

impl<S: Stream<Item = ()>, A: Alarm> Stream for ByHand<S, A> {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        let mut this = self.project();
        let item = match this.inner.poll_next(cx) {
            Poll::Ready(item) => item,
            Poll::Pending => {
                ready!(this.alarm.as_mut().poll(cx));
                Some(())
            }
        };
        this.alarm.set_after(**this.interval);
        Poll::Ready(item)
    }
}
