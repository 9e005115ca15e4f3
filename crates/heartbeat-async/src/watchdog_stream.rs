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
    /// A stream that ends with an error when its peer has been silent for too long.
    /// See [T14](crate::rules#t14-watchdog).
    ///
    /// Each item of the inner stream is yielded as an `Ok` and restarts the timeout, whether it is an event or a
    /// heartbeat; [`skip_heartbeats`](Self::skip_heartbeats) hides the heartbeats. When no item has come for the whole
    /// timeout, the stream yields a [`TimedOut`] and ends.
    ///
    /// - An item that is ready always goes first: a consumer that was idle for longer than the timeout gets the items
    ///   that have arrived.
    /// - An item reads no clock and sets no sleep. The clock is read when no item is ready: an item counts as received
    ///   when the consumer polls again. A slow consumer therefore delays the timeout by the time for which it holds an
    ///   item, and never shortens it.
    /// - This stream ends with the inner stream.
    /// - With a timeout of zero it passes items through and holds no sleep.
    ///
    /// A good timeout is three intervals of the peer's heartbeats: one heartbeat may be late, and another one delayed by a
    /// slow network.
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
    /// let events = stream::iter(["one", "heartbeat", "two"]).chain(stream::pending());
    /// let events = events.watchdog(time.clone(), Duration::from_secs(45));
    /// let mut events = Box::pin(events.skip_heartbeats(|event| *event == "heartbeat"));
    ///
    /// time.block_on(async {
    ///     assert_eq!(events.next().await, Some(Ok("one")));
    ///     assert_eq!(events.next().await, Some(Ok("two")));
    ///     let silence = events.next().await.expect("an error before the end").unwrap_err();
    ///     assert_eq!(silence.timeout(), Duration::from_secs(45));
    ///     assert_eq!(events.next().await, None);
    /// });
    /// ```
    ///
    /// # Cancellation
    ///
    /// Dropping the stream drops its sleep. No item is lost, because none is buffered.
    #[must_use = "streams do nothing unless polled"]
    pub struct WatchdogStream<S: Stream, T: Timer, P = fn(&<S as Stream>::Item) -> bool> {
        #[pin]
        inner: S,
        #[pin]
        sleep: LazySleep<T>,
        watch: Watch<T>,
        is_heartbeat: P,
    }
}

/// When an item was last received.
struct Watch<T: Timer> {
    watchdog: Watchdog<T::Instant>,
    timer: T,
    timeout: Duration,
    /// An item has come since the clock was last read (T16).
    received: bool,
    ended: bool,
}

impl<S: Stream, T: Timer> WatchdogStream<S, T> {
    /// Watches a stream. The timeout begins now.
    pub fn new(inner: S, timer: T, timeout: Duration) -> Self {
        let watchdog = Watchdog::new(timeout, timer.now()).with_granularity(timer.granularity());
        let watch = Watch { watchdog, timer, timeout, received: false, ended: false };
        Self { inner, sleep: LazySleep::default(), watch, is_heartbeat: |_| false }
    }
}

impl<S: Stream, T: Timer, P> WatchdogStream<S, T, P> {
    /// Skips items for which `is_heartbeat` returns true. They restart the timeout.
    pub fn skip_heartbeats<F>(self, is_heartbeat: F) -> WatchdogStream<S, T, F>
    where
        F: FnMut(&S::Item) -> bool,
    {
        let Self { inner, sleep, watch, .. } = self;
        WatchdogStream { inner, sleep, watch, is_heartbeat }
    }

    /// The inner stream.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner stream. Items polled through this reference do not restart the timeout.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner stream. Items polled through this reference do not restart the timeout.
    #[must_use]
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut S> {
        self.project().inner
    }

    /// The inner stream, without a timeout. No item is lost.
    ///
    /// A pinned stream cannot be unwrapped. To keep the inner stream, wrap a reference:
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use futures_util::{StreamExt, stream};
    /// use heartbeat_async::HeartbeatStreamExt;
    /// use heartbeat_async::virtual_time::VirtualTime;
    ///
    /// let time = VirtualTime::new();
    /// let mut events = stream::iter(["greeting", "event"]);
    ///
    /// time.block_on(async {
    ///     let mut greeting = Box::pin((&mut events).watchdog(time.clone(), Duration::from_secs(5)));
    ///     assert_eq!(greeting.next().await, Some(Ok("greeting")));
    ///     drop(greeting);
    ///     assert_eq!(events.next().await, Some("event"));
    /// });
    /// ```
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Stream, T: Timer, P: FnMut(&S::Item) -> bool> Stream for WatchdogStream<S, T, P> {
    type Item = Result<S::Item, TimedOut>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if this.watch.ended {
            return Poll::Ready(None);
        }
        while let Poll::Ready(next) = this.inner.as_mut().poll_next(cx) {
            let Some(item) = next else {
                this.watch.ended = true;
                this.sleep.clear();
                return Poll::Ready(None);
            };
            this.watch.received = true;
            if !(this.is_heartbeat)(&item) {
                return Poll::Ready(Some(Ok(item)));
            }
        }
        this.watch.poll_expiry(this.sleep, cx).map(|timed_out| Some(Err(timed_out)))
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

impl<S: Stream, T: Timer, P: FnMut(&S::Item) -> bool> FusedStream for WatchdogStream<S, T, P> {
    fn is_terminated(&self) -> bool {
        self.watch.ended
    }
}

impl<T: Timer> Watch<T> {
    /// Nothing is ready: checks whether the peer has been silent for too long.
    fn poll_expiry(
        &mut self,
        mut sleep: Pin<&mut LazySleep<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<TimedOut> {
        if self.timeout.is_zero() {
            return Poll::Pending;
        }
        let mut now = self.timer.now();
        if mem::take(&mut self.received) {
            self.watchdog.on_receive(now);
            // The deadline is now after the end of the sleep, which stays set.
            if sleep.as_mut().will_wake(cx) {
                return Poll::Pending;
            }
        }
        let mut was_reset = false;
        loop {
            match self.watchdog.poll_deadline(now) {
                WatchdogAction::WaitUntil(deadline) => {
                    ready!(sleep.as_mut().poll(&self.timer, deadline, &mut was_reset, cx));
                    now = self.timer.now();
                }
                WatchdogAction::Expired => {
                    self.ended = true;
                    sleep.clear();
                    event!(INFO, timeout = ?self.timeout, "peer is silent");
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
            .field("watchdog", &self.watch.watchdog)
            .finish_non_exhaustive()
    }
}

/// The peer has been silent for a whole timeout: it has disconnected, or the connection is broken.
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

    /// The timeout that has passed without an item.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing received for {:?}, not even a heartbeat: reconnect", self.timeout)
    }
}

impl Error for TimedOut {}
