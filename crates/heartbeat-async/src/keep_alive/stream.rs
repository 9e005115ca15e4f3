use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use heartbeat_core::Config;
use pin_project_lite::pin_project;

use super::{Classify, KeepAlive, MakeHeartbeat};
use crate::{NoObserver, Observed, Observer, Scheduler, Telemetry};

pin_project! {
    /// A stream that yields a heartbeat whenever the inner stream has been silent for an interval.
    ///
    /// - An item that is ready always goes first, and a heartbeat is made only when the consumer polls. However slow
    ///   the consumer is, at most one heartbeat waits here. See [T5](crate::rules#t5-one-in-flight) and
    ///   [T17](crate::rules#t17-pull-side).
    /// - An item reads no clock and sets no sleep. The clock is read when no item is ready: an item counts as sent when
    ///   the consumer polls again. The silence on the wire is therefore at most the interval plus the time for which
    ///   the consumer held an item without polling. See [T16](crate::rules#t16-lazy).
    /// - This stream ends with the inner stream; no heartbeat follows.
    /// - After the heartbeats have stopped, by [`Config::with_give_up_after`] or by [`stop`](Self::stop), items still
    ///   pass.
    /// - With an interval of zero it passes items through and holds no sleep.
    ///
    /// [`Config::with_stall_after`] has an effect on a [hub](crate#features) only: with a timer of its own, a stream
    /// that is not polled does nothing.
    ///
    /// # Cancellation
    ///
    /// Dropping the stream drops its sleep. A heartbeat that was yielded, and after which the consumer has not polled
    /// again, is reported as [`Outcome::Error`](crate::Outcome::Error); on a hub the consumer may be reported as
    /// [stalled](Observer::on_stall). No item is lost, because none is buffered.
    #[must_use = "streams do nothing unless polled"]
    pub struct HeartbeatStream<S, B, P: Scheduler, O: Telemetry = NoObserver> {
        #[pin]
        inner: S,
        #[pin]
        keep_alive: KeepAlive<P, O>,
        make_heartbeat: B,
    }
}

impl<S: Stream, B: MakeHeartbeat<S::Item>, P: Scheduler> HeartbeatStream<S, B, P> {
    /// Wraps a stream. Its silence begins now.
    ///
    /// `config` is an interval or a [`Config`]. `make_heartbeat` makes the heartbeats; usually it is a closure. For a
    /// stream of `Result` wrap it in [`MakeOk`](crate::MakeOk): an `Err` is then no event.
    pub fn new(inner: S, scheduler: P, config: impl Into<Config>, make_heartbeat: B) -> Self {
        Self { inner, keep_alive: KeepAlive::new(scheduler, config), make_heartbeat }
    }
}

impl<S: Stream, B, P: Scheduler, O: Telemetry> HeartbeatStream<S, B, P, O> {
    /// Reports to `observer` from now on. See [T19](crate::rules#t19-outcome).
    pub fn with_observer<N: Observer>(self, observer: N) -> HeartbeatStream<S, B, P, Observed<N>> {
        let Self { inner, keep_alive, make_heartbeat } = self;
        HeartbeatStream { inner, keep_alive: keep_alive.with_observer(observer), make_heartbeat }
    }

    /// Treats items for which `is_heartbeat` returns true as heartbeats of another source. They end the silence, but
    /// they are no events, so they do not postpone giving up on the producer.
    /// See [T21](crate::rules#t21-nesting).
    pub fn treat_as_heartbeat<F>(self, is_heartbeat: F) -> HeartbeatStream<S, Classify<B, F>, P, O>
    where
        F: FnMut(&S::Item) -> bool,
    {
        let Self { inner, keep_alive, make_heartbeat } = self;
        let make_heartbeat = Classify { inner: make_heartbeat, is_heartbeat };
        HeartbeatStream { inner, keep_alive, make_heartbeat }
    }

    /// Stops the heartbeats; items still pass. May be called again. See [T9](crate::rules#t9-stop).
    pub fn stop(self: Pin<&mut Self>) {
        self.project().keep_alive.stop();
    }

    /// The inner stream.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner stream. Items polled through this reference do not reset the heartbeat timer.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner stream. Items polled through this reference do not reset the heartbeat timer.
    #[must_use]
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut S> {
        self.project().inner
    }

    /// The inner stream, without heartbeats. No item is lost.
    ///
    /// A pinned stream cannot be unwrapped. To keep the inner stream, wrap a reference: `(&mut events).heartbeat(…)`.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, P: Scheduler, O: Observer> HeartbeatStream<S, B, P, Observed<O>> {
    /// The observer that was given to [`with_observer`](Self::with_observer).
    pub fn observer(&self) -> &O {
        self.keep_alive.observer()
    }
}

impl<S, B, P, O> Stream for HeartbeatStream<S, B, P, O>
where
    S: Stream,
    B: MakeHeartbeat<S::Item>,
    P: Scheduler,
    O: Telemetry,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if !this.keep_alive.as_mut().on_polled() {
            return Poll::Ready(None);
        }

        match this.inner.poll_next(cx) {
            Poll::Ready(Some(item)) => {
                this.keep_alive.on_item(this.make_heartbeat.classify(&item));
                Poll::Ready(Some(item))
            }
            Poll::Ready(None) => {
                this.keep_alive.on_end();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let at_boundary = this.make_heartbeat.at_boundary();
                ready!(this.keep_alive.as_mut().poll_due(at_boundary, cx));
                let heartbeat = this.make_heartbeat.make();
                this.keep_alive.set_encoded_len(this.make_heartbeat.encoded_len(&heartbeat));
                Poll::Ready(Some(heartbeat))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.keep_alive.has_ended() {
            return (0, Some(0));
        }
        let (lower, upper) = self.inner.size_hint();
        (lower, upper.filter(|_| !self.keep_alive.is_active())) // the number of heartbeats has no bound
    }
}

impl<S, B, P, O> FusedStream for HeartbeatStream<S, B, P, O>
where
    S: Stream,
    B: MakeHeartbeat<S::Item>,
    P: Scheduler,
    O: Telemetry,
{
    fn is_terminated(&self) -> bool {
        self.keep_alive.has_ended()
    }
}

impl<S, B, P, O> fmt::Debug for HeartbeatStream<S, B, P, O>
where
    S: fmt::Debug,
    P: Scheduler,
    P::Schedule: fmt::Debug,
    O: Telemetry,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatStream")
            .field("inner", &self.inner)
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}
