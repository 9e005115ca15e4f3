use core::error::Error;
use core::fmt;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;
use heartbeat_core::{Watchdog, WatchdogAction};
use pin_project_lite::pin_project;

use crate::Timer;
use crate::observer::reporter::event;
use crate::schedule::lazy_sleep::LazySleep;

pin_project! {
    /// The receiving side: a stream that ends with an error when its peer has been silent for too
    /// long (T14).
    ///
    /// Each item of the stream within is an `Ok`, and restarts the timeout, whether it is a real event
    /// or a heartbeat; [`skip_heartbeats`](Self::skip_heartbeats) keeps the latter to itself. When
    /// nothing was received for the whole timeout, a [`TimedOut`] follows, and after it the end: the
    /// time has come to connect anew.
    ///
    /// - An item that is ready always goes first: a consumer that was away for longer than the timeout
    ///   gets what came meanwhile.
    /// - An item touches neither timer nor clock. The clock is read when nothing is ready: that the
    ///   consumer came back counts as the receipt of what it took before (T16). A slow consumer
    ///   therefore makes the timeout later by as long as it holds an item, and never earlier.
    /// - The end of the stream within is the end of this one.
    /// - With a timeout of zero it passes everything through and holds no alarm (T1).
    ///
    /// Take some three intervals of the peer's heartbeats for the timeout: one may be late, and
    /// another one lost behind a slow network.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use futures_util::{StreamExt, stream};
    /// use heartbeat_async::HeartbeatStreamExt;
    /// use heartbeat_async::virtual_time::VirtualTime;
    ///
    /// let time = VirtualTime::new();
    /// let events = stream::iter(["one", "beat", "two"]).chain(stream::pending());
    /// let events = events.watchdog(time.clone(), Duration::from_secs(45));
    /// let mut events = Box::pin(events.skip_heartbeats(|event| *event == "beat"));
    ///
    /// time.block_on(async {
    ///     assert_eq!(events.next().await, Some(Ok("one")));
    ///     assert_eq!(events.next().await, Some(Ok("two")));
    ///     let silence = events.next().await.expect("it says why it ends").unwrap_err();
    ///     assert_eq!(silence.timeout(), Duration::from_secs(45));
    ///     assert_eq!(events.next().await, None);
    /// });
    /// ```
    ///
    /// # Cancellation
    ///
    /// Dropping the stream drops its alarm. Nothing else is lost: items are never kept back.
    #[must_use = "streams do nothing unless polled"]
    pub struct WatchdogStream<S, T, P = fn(&<S as Stream>::Item) -> bool>
    where
        S: Stream,
        T: Timer,
    {
        #[pin]
        inner: S,
        #[pin]
        alarm: LazySleep<T>,
        watch: Watch<T>,
        is_heartbeat: P,
    }
}

/// What is known of the peer.
struct Watch<T: Timer> {
    dog: Watchdog<T::Instant>,
    timer: T,
    timeout: Duration,
    /// Something was received since the clock was last read (T16).
    received: bool,
    ended: bool,
}

impl<S: Stream, T: Timer> WatchdogStream<S, T> {
    /// Watches a stream. The silence begins now.
    pub fn new(inner: S, timer: T, timeout: Duration) -> Self {
        let dog = Watchdog::new(timeout, timer.now()).with_granularity(timer.granularity());
        let watch = Watch { dog, timer, timeout, received: false, ended: false };
        Self { inner, alarm: LazySleep::default(), watch, is_heartbeat: |_| false }
    }
}

impl<S: Stream, T: Timer, P> WatchdogStream<S, T, P> {
    /// Does not yield the items for which `is_heartbeat` holds. They restart the timeout all the
    /// same.
    pub fn skip_heartbeats<F>(self, is_heartbeat: F) -> WatchdogStream<S, T, F>
    where
        F: FnMut(&S::Item) -> bool,
    {
        let Self { inner, alarm, watch, .. } = self;
        WatchdogStream { inner, alarm, watch, is_heartbeat }
    }

    /// The stream within.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The stream within. An item taken from it here is none that the watchdog knows of.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The stream within. An item taken from it here is none that the watchdog knows of.
    #[must_use]
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut S> {
        self.project().inner
    }

    /// The stream within, unwatched. No item is lost.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, T, P> Stream for WatchdogStream<S, T, P>
where
    S: Stream,
    T: Timer,
    P: FnMut(&S::Item) -> bool,
{
    type Item = Result<S::Item, TimedOut>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if this.watch.ended {
            return Poll::Ready(None);
        }
        while let Poll::Ready(next) = this.inner.as_mut().poll_next(cx) {
            let Some(item) = next else {
                this.watch.ended = true;
                this.alarm.clear();
                return Poll::Ready(None);
            };
            this.watch.received = true;
            if !(this.is_heartbeat)(&item) {
                return Poll::Ready(Some(Ok(item)));
            }
        }
        this.watch.poll_expiry(this.alarm, cx).map(|timed_out| Some(Err(timed_out)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.watch.ended {
            return (0, Some(0));
        }
        let upper = self.inner.size_hint().1;
        // Any item may be a heartbeat; and if the peer falls silent, the error is one more.
        (0, upper.and_then(|upper| upper.checked_add(1)))
    }
}

impl<S, T, P> FusedStream for WatchdogStream<S, T, P>
where
    S: Stream,
    T: Timer,
    P: FnMut(&S::Item) -> bool,
{
    fn is_terminated(&self) -> bool {
        self.watch.ended
    }
}

impl<T: Timer> Watch<T> {
    /// Nothing is ready: has the peer been silent for too long?
    fn poll_expiry(
        &mut self,
        mut alarm: Pin<&mut LazySleep<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<TimedOut> {
        if self.timeout.is_zero() {
            return Poll::Pending;
        }
        let mut now = self.timer.now();
        if mem::take(&mut self.received) {
            self.dog.on_receive(now);
            // That has moved the deadline away from the alarm, which is set all the same.
            if alarm.still_covers(now, cx.waker()) {
                return Poll::Pending;
            }
        }
        let mut was_reset = false;
        loop {
            match self.dog.poll_deadline(now) {
                WatchdogAction::WaitUntil(deadline) => {
                    ready!(alarm.as_mut().poll(&self.timer, deadline, now, &mut was_reset, cx));
                    now = self.timer.now();
                }
                WatchdogAction::Expired => {
                    self.ended = true;
                    alarm.clear();
                    event!(INFO, timeout = ?self.timeout, "the peer has fallen silent");
                    return Poll::Ready(TimedOut { timeout: self.timeout });
                }
                WatchdogAction::WaitForever | WatchdogAction::Stopped => return Poll::Pending,
            }
        }
    }
}

impl<S, T, P> fmt::Debug for WatchdogStream<S, T, P>
where
    S: Stream + fmt::Debug,
    T: Timer,
    T::Instant: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchdogStream")
            .field("inner", &self.inner)
            .field("dog", &self.watch.dog)
            .finish_non_exhaustive()
    }
}

/// The peer has been silent for a whole timeout (T14): it has gone, or nothing comes through any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimedOut {
    pub(crate) timeout: Duration,
}

impl TimedOut {
    /// The error of a [`WatchdogStream`] with this timeout, for a wrapper or a test of your own.
    #[must_use]
    pub const fn new(timeout: Duration) -> Self {
        Self { timeout }
    }

    /// For how long nothing was received.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing was received for {:?}, not even a heartbeat: connect anew", self.timeout)
    }
}

impl Error for TimedOut {}
