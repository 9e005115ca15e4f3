use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_sink::Sink;
use pin_project_lite::pin_project;

use super::Shared;
use super::driver_state::{DriverState, Wait};
#[cfg(feature = "hub")]
use crate::HubError;
use crate::observer::{NoObserver, Observed, Observer, Telemetry};
use crate::schedule::{DetachReason, SinkSchedule, sealed};
use crate::{MakeHeartbeat, Scheduler};

type SinkScheduleOf<P> = <P as sealed::Scheduler>::SinkSchedule;

pin_project! {
    /// Sends the heartbeats of a sink; made by [`heartbeat_sink`](crate::heartbeat_sink). Spawn it.
    ///
    /// It is a future that sends a heartbeat whenever the sink has accepted nothing for an interval. It ends when a
    /// sender [stops](crate::Sender::stop) it or [closes](crate::Sender::close) the sink, or when all senders are
    /// dropped. Then it cancels a heartbeat that waits, and flushes what the sink has accepted. If the peer reads
    /// nothing, it ends after [`Config::with_stall_after`](crate::Config::with_stall_after) with
    /// [`DriverError::Stalled`]; by default after an interval, but no less than 15 s. To wait longer, call
    /// [`Sender::flush`](crate::Sender::flush) before you drop the sender.
    ///
    /// # Errors
    ///
    /// [`DriverError::Transport`] if the sink fails, [`DriverError::Stalled`] if the peer does not read,
    /// [`DriverError::Hub`] if the hub has stopped or is full. The senders still work, without heartbeats.
    ///
    /// # Cancellation
    ///
    /// Dropping it ends the heartbeats. A heartbeat that is not flushed counts as
    /// [`Outcome::Error`](crate::Outcome::Error). The senders still work.
    #[must_use = "a driver sends no heartbeats unless it is polled: spawn it"]
    pub struct Driver<Item, Si, B, P: Scheduler, O: Telemetry = NoObserver> {
        #[pin]
        sleep: Option<<SinkScheduleOf<P> as SinkSchedule>::Sleep>,
        // When the sleep ends.
        wake_at: Option<P::Instant>,
        link: StopOnDrop<Item, Si, P, B>,
        // `None` once the driver has ended.
        state: Option<DriverState<O, SinkScheduleOf<P>>>,
    }
}

/// Why a [`Driver`] ended with an error. Its senders still work, without heartbeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DriverError<E> {
    /// The sink failed with a heartbeat ([T10](crate::rules#t10-failed)), or with the flush of
    /// an item whose send was dropped.
    Transport(E),
    /// The peer does not read: the sink did not accept a heartbeat within the time of
    /// [`Config::with_stall_after`](crate::Config::with_stall_after) ([T20](crate::rules#t20-stalled)), or did not
    /// complete the last flush in time ([T18](crate::rules#t18-push-side)).
    Stalled,
    /// The [`Hub`](crate::Hub) does not schedule the heartbeats of this sink.
    #[cfg(feature = "hub")]
    Hub(HubError),
}

impl<E> DriverError<E> {
    pub(super) fn detached(reason: DetachReason) -> Self {
        #[cfg(feature = "hub")]
        return Self::Hub(reason);
        #[cfg(not(feature = "hub"))]
        match reason {}
    }
}

impl<E> fmt::Display for DriverError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transport(_) => "the sink failed",
            Self::Stalled => "the peer stopped reading",
            #[cfg(feature = "hub")]
            Self::Hub(_) => "the hub does not schedule the heartbeats of this sink",
        })
    }
}

impl<E: core::error::Error + 'static> core::error::Error for DriverError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Transport(error) => Some(error),
            Self::Stalled => None,
            #[cfg(feature = "hub")]
            Self::Hub(error) => Some(error),
        }
    }
}

impl<Item, Si, B, P: Scheduler, O: Telemetry> Driver<Item, Si, B, P, O> {
    pub(super) fn new(link: StopOnDrop<Item, Si, P, B>, observer: O) -> Self {
        Self { sleep: None, wake_at: None, link, state: Some(DriverState::new(observer)) }
    }
}

impl<Item, Si: Sink<Item>, B: MakeHeartbeat<Item>, P: Scheduler> Driver<Item, Si, B, P> {
    /// Reports the outcome of each heartbeat to `observer` ([T19](crate::rules#t19-outcome)).
    pub fn with_observer<O: Observer>(self, observer: O) -> Driver<Item, Si, B, P, Observed<O>> {
        Driver::new(self.link, Observed::new(observer))
    }
}

impl<Item, Si, B, P, O> Future for Driver<Item, Si, B, P, O>
where
    Si: Sink<Item>,
    P: Scheduler,
    B: MakeHeartbeat<Item>,
    O: Telemetry,
{
    type Output = Result<(), DriverError<Si::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(state) = this.state else { return Poll::Ready(Ok(())) };
        loop {
            let mut sink = ready!(this.link.0.poll_driver(cx));
            if sink.stop_requested() {
                sink.stop();
            }
            let has_turn = sink.driver_has_turn();
            let (wait, deadline) = match state.step(&mut sink, has_turn, cx) {
                Ok(Some(Wait { on, deadline })) => (on, deadline),
                ended => {
                    let result = ended.map(drop);
                    state.end(&mut sink, &result);
                    drop(sink);
                    this.sleep.set(None);
                    *this.state = None; // reports the end to the observer
                    return Poll::Ready(result);
                }
            };
            // A sleep that ends earlier is kept: it ends soon enough (T16).
            let is_new = deadline.is_some_and(|at| this.wake_at.is_none_or(|wake_at| at < wake_at));
            if let Some(at) = deadline.filter(|_| is_new) {
                sink.schedule.reset(this.sleep.as_mut(), at);
                *this.wake_at = Some(at);
            }
            sink.end_driver_poll(wait);
            let sleep = this.sleep.as_mut().as_pin_mut().filter(|_| deadline.is_some());
            if !sleep.is_some_and(|sleep| sleep.poll(cx).is_ready()) {
                return Poll::Pending;
            }
            *this.wake_at = None;
            if is_new {
                // A sleep that ends at once is a fault of the timer, and must not spin here.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }
}

impl<Item, Si, B, P: Scheduler, O: Telemetry> fmt::Debug for Driver<Item, Si, B, P, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

/// Stops the heartbeats when the driver is dropped. If a sender has the sink, its schedule remains until the last
/// sender is dropped, and nothing polls it.
pub(super) struct StopOnDrop<Item, Si, P: Scheduler, B>(pub(super) Shared<Item, Si, P, B>);

impl<Item, Si, P: Scheduler, B> Drop for StopOnDrop<Item, Si, P, B> {
    fn drop(&mut self) {
        if let Some(mut sink) = self.0.end_driver() {
            sink.end();
        }
    }
}
