//! What the driver decides in one poll.

use core::mem;
use core::task::{Context, Poll};
use core::time::Duration;

use futures_sink::Sink;
use heartbeat_core::{Action, Config, Instant};

use super::DriverError;
use super::state::{Phase, SinkState, WakeDriverOn};
use crate::MakeHeartbeat;
use crate::observer::reporter::Reporter;
use crate::observer::{Outcome, Telemetry};
use crate::schedule::{DetachReason, SinkSchedule};

/// What the driver waits for next. Each has the deadline at which the driver is to be polled, if there is one.
pub(super) enum Next<I> {
    WaitForChange(Option<I>),
    /// The senders in the queue are served first.
    WaitForTurn(Option<I>),
    /// The sink was polled, and wakes the driver.
    WaitForSink(Option<I>),
    /// The heartbeats are stopped, and everything is flushed.
    Done,
}

/// The heartbeat on its way to the peer, and the observer that hears of its outcome.
pub(super) struct DriverState<O: Telemetry, I> {
    reporter: Reporter<O::Observer>,
    /// A heartbeat that is due, and that the sink has not taken.
    pending: Option<PendingHeartbeat<I>>,
    /// A heartbeat that the sink has taken, and not flushed.
    unflushed: Option<UnflushedHeartbeat>,
    /// Only the last flush is left, and the schedule times it (T20).
    final_flush: bool,
}

#[derive(Debug, Clone, Copy)]
struct PendingHeartbeat<I> {
    late: Duration,
    due_at: I,
}

#[derive(Debug, Clone, Copy)]
struct UnflushedHeartbeat {
    late: Duration,
    bytes: Option<usize>,
}

impl<O: Telemetry, I: Instant> DriverState<O, I> {
    /// Does what is to be done now. The driver has the sink, so that nothing changes between an answer of the
    /// schedule and what follows from it. It polls the sink only if it `has_turn`.
    pub(super) fn step<Item, Si, U, B>(
        &mut self,
        sink: &mut SinkState<Si, U, B>,
        has_turn: bool,
        cx: &mut Context<'_>,
    ) -> Result<Next<I>, DriverError<Si::Error>>
    where
        Si: Sink<Item>,
        U: SinkSchedule<Instant = I>,
        B: MakeHeartbeat<Item>,
    {
        sink.observed = self.reporter.is_enabled();
        loop {
            if sink.take_error_flag() {
                self.report_outcome(Outcome::Error); // the sender that met the error returns it
            }
            // A heartbeat behind bytes that wait says nothing new. So they are flushed first: by the sender that
            // has the turn, or by the driver.
            if has_turn && !sink.is_clean() {
                if let Poll::Ready(Err(error)) = sink.poll_flush(cx) {
                    return Err(self.fail(sink, error));
                }
            }
            let clean = sink.is_clean();
            if clean {
                self.report_outcome(Outcome::Sent);
            }
            self.report_idle(sink);
            if self.pending.is_some() && !sink.schedule.is_in_flight() {
                self.pending = None;
                self.reporter.cancelled(); // T6, T9
            }
            let wait = |deadline| match has_turn {
                _ if clean => Next::WaitForChange(deadline),
                true => Next::WaitForSink(deadline),
                false => Next::WaitForTurn(deadline),
            };

            match sink.phase {
                Phase::Active => {}
                Phase::Disabled => return Ok(wait(None)),
                Phase::Stopped if clean => return Ok(Next::Done),
                Phase::Stopped => return self.poll_final_flush(sink, cx).map(wait),
            }
            if !sink.at_boundary() {
                sink.wake_driver_on = WakeDriverOn::AnyItem;
                return Ok(wait(None));
            }
            let deadline = self.poll_schedule(sink, cx)?;
            let Some(pending) = self.pending.filter(|_| clean) else { return Ok(wait(deadline)) };
            if !has_turn {
                return Ok(Next::WaitForTurn(deadline));
            }
            let sent = match sink.poll_ready(cx) {
                Poll::Ready(Ok(())) => sink.start_send_heartbeat(),
                Poll::Ready(Err(error)) => Err(error),
                Poll::Pending => return Ok(Next::WaitForSink(deadline)),
            };
            match sent {
                Ok((at, bytes)) => {
                    let late = at.saturating_duration_since(pending.due_at);
                    let late = pending.late.saturating_add(late);
                    self.pending = None;
                    self.unflushed = Some(UnflushedHeartbeat { late, bytes });
                }
                Err(error) => return Err(self.fail(sink, error)),
            }
        }
    }

    /// Asks the schedule until there is nothing to do but to wait. Returns until when.
    fn poll_schedule<Si, U, B, E>(
        &mut self,
        sink: &mut SinkState<Si, U, B>,
        cx: &mut Context<'_>,
    ) -> Result<Option<I>, DriverError<E>>
    where
        U: SinkSchedule<Instant = I>,
    {
        loop {
            let now = sink.schedule.now();
            match sink.schedule.poll_deadline(now, cx) {
                Ok(Action::SendHeartbeat { late }) => {
                    self.pending = Some(PendingHeartbeat { late, due_at: now });
                }
                Ok(Action::GiveUp) => self.reporter.gave_up(),
                Ok(Action::WaitUntil(deadline)) => return Ok(Some(deadline)),
                Ok(Action::WaitForever) => {
                    if self.pending.is_none() {
                        sink.wake_driver_on = WakeDriverOn::Event;
                    }
                    return Ok(None);
                }
                Ok(Action::Stalled) => return Err(self.stall(sink)),
                Ok(Action::Stopped) => return Ok(None), // only after `stop`
                Err(error) => return Err(self.detach(sink, error)),
            }
        }
    }

    /// Limits the time for the last flush to the time after which a peer counts as stalled (T20). Returns the
    /// deadline.
    fn poll_final_flush<Si, U, B, E>(
        &mut self,
        sink: &mut SinkState<Si, U, B>,
        cx: &mut Context<'_>,
    ) -> Result<Option<I>, DriverError<E>>
    where
        U: SinkSchedule<Instant = I>,
    {
        if sink.stall_after.is_zero() {
            return Ok(None);
        }
        if !mem::replace(&mut self.final_flush, true) {
            let limit = Config::every(Duration::MAX).with_give_up_after(sink.stall_after);
            sink.schedule.restart(limit);
        }
        match sink.schedule.poll_deadline(sink.schedule.now(), cx) {
            Ok(Action::WaitUntil(deadline)) => Ok(Some(deadline)),
            Ok(Action::GiveUp) => Err(self.stall(sink)),
            Ok(_) => Ok(None),
            Err(error) => Err(self.detach(sink, error)),
        }
    }

    /// The sink failed, which ends the heartbeats (T10).
    fn fail<Si, U, B, E>(&mut self, sink: &mut SinkState<Si, U, B>, error: E) -> DriverError<E>
    where
        U: SinkSchedule<Instant = I>,
    {
        self.end(sink);
        DriverError::Transport(error)
    }

    /// The peer does not read, which ends the heartbeats (T20).
    fn stall<Si, U, B, E>(&mut self, sink: &mut SinkState<Si, U, B>) -> DriverError<E>
    where
        U: SinkSchedule<Instant = I>,
    {
        self.reporter.stalled();
        self.end(sink);
        DriverError::Stalled
    }

    /// The hub does not schedule this sink, which ends the heartbeats.
    fn detach<Si, U, B, E>(
        &mut self,
        sink: &mut SinkState<Si, U, B>,
        error: DetachReason,
    ) -> DriverError<E>
    where
        U: SinkSchedule<Instant = I>,
    {
        self.reporter.detached(error);
        self.end(sink);
        #[cfg(feature = "hub")]
        return DriverError::Hub(error);
        #[cfg(not(feature = "hub"))]
        match error {}
    }

    fn end<Si, U, B>(&mut self, sink: &mut SinkState<Si, U, B>)
    where
        U: SinkSchedule<Instant = I>,
    {
        sink.end();
        self.report_idle(sink);
        self.report_lost();
    }

    /// Reports the longest silence that has ended since the last report.
    fn report_idle<Si, U, B>(&self, sink: &mut SinkState<Si, U, B>)
    where
        U: SinkSchedule<Instant = I>,
    {
        if let Some(idle) = sink.take_longest_idle() {
            self.reporter.idle(idle);
        }
    }
}

impl<O: Telemetry, I> DriverState<O, I> {
    pub(super) fn new(observer: O) -> Self {
        Self {
            reporter: Reporter::new(observer.into_observer()),
            pending: None,
            unflushed: None,
            final_flush: false,
        }
    }

    fn report_outcome(&mut self, outcome: Outcome) {
        if let Some(UnflushedHeartbeat { late, bytes }) = self.unflushed.take() {
            self.reporter.heartbeat(outcome, late, bytes);
        }
    }

    /// Reports that the heartbeat on its way is lost, if there is one.
    fn report_lost(&mut self) {
        self.report_outcome(Outcome::Error);
        if let Some(PendingHeartbeat { late, .. }) = self.pending.take() {
            self.reporter.heartbeat(Outcome::Error, late, None);
        }
    }
}

impl<O: Telemetry, I> Drop for DriverState<O, I> {
    fn drop(&mut self) {
        self.report_lost();
    }
}
