//! What the driver decides in one poll.

use core::mem;
use core::task::Context;
use core::time::Duration;

use futures_sink::Sink;
use heartbeat_core::{Action, Config, Instant};

use super::DriverError;
use super::fair_lock::DriverWait;
use super::state::{SinkPhase, SinkState, WakeDriverOn};
use crate::MakeHeartbeat;
use crate::observer::reporter::Reporter;
use crate::observer::telemetry::InFlight;
use crate::observer::{Outcome, Telemetry};
use crate::schedule::SinkSchedule;

/// What the driver waits for next.
pub(super) struct Wait<I> {
    pub(super) on: DriverWait,
    /// When the driver is to be polled at the latest.
    pub(super) deadline: Option<I>,
}

/// The heartbeat on its way to the peer, and the observer that is notified of its outcome.
pub(super) struct DriverState<O: Telemetry, U: SinkSchedule> {
    reporter: Reporter<O::Observer>,
    /// A heartbeat that is due, and that the sink has not taken.
    pending: Option<PendingHeartbeat<U::Instant>>,
    /// A heartbeat that the sink has taken, and not flushed.
    unflushed: Option<InFlight>,
    /// Only the last flush is left, and the schedule times it (T18).
    final_flush: bool,
}

#[derive(Debug, Clone, Copy)]
struct PendingHeartbeat<I> {
    late: Duration,
    due_at: I,
}

impl<O: Telemetry, U: SinkSchedule> DriverState<O, U> {
    /// Performs the work that is due. The driver holds the sink, so the schedule cannot change between its answer and
    /// the action. Polls the sink only if the driver `has_turn`. Returns `None` once the heartbeats are stopped and
    /// everything is flushed.
    pub(super) fn step<Item, Si: Sink<Item>, B: MakeHeartbeat<Item>>(
        &mut self,
        sink: &mut SinkState<Item, Si, U, B>,
        has_turn: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Wait<U::Instant>>, DriverError<Si::Error>> {
        sink.observed = self.reporter.is_enabled();
        loop {
            if mem::take(&mut sink.failed) {
                self.report_outcome(Outcome::Error); // the sender that met the error returns it
            }
            // A heartbeat adds nothing while earlier bytes are unflushed, so those are flushed first: by the sender
            // that has the turn, or by the driver.
            if has_turn {
                let _ = sink.poll_flush(cx).map_err(DriverError::Transport)?;
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
            let on = match has_turn {
                _ if clean => DriverWait::Change,
                true => DriverWait::Sink,
                false => DriverWait::Turn,
            };

            match sink.phase {
                SinkPhase::Active => {}
                SinkPhase::Disabled => return Ok(Some(Wait { on, deadline: None })),
                SinkPhase::Stopped if clean => return Ok(None),
                SinkPhase::Stopped => {
                    let deadline = self.poll_final_flush(sink, cx)?;
                    return Ok(Some(Wait { on, deadline }));
                }
            }
            if !sink.at_boundary() {
                sink.wake_driver_on = WakeDriverOn::AnyItem;
                return Ok(Some(Wait { on, deadline: None }));
            }
            let deadline = self.poll_schedule(sink, cx)?;
            let Some(PendingHeartbeat { late, due_at }) = self.pending.filter(|_| clean) else {
                return Ok(Some(Wait { on, deadline }));
            };
            if !has_turn {
                return Ok(Some(Wait { on: DriverWait::Turn, deadline }));
            }
            if sink.poll_ready(cx).map_err(DriverError::Transport)?.is_pending() {
                return Ok(Some(Wait { on: DriverWait::Sink, deadline }));
            }
            let (at, encoded_len) = sink.start_send_heartbeat().map_err(DriverError::Transport)?;
            let late = late.saturating_add(at.saturating_duration_since(due_at));
            self.pending = None;
            self.unflushed = Some(InFlight { late, encoded_len });
        }
    }

    /// Polls the schedule until it has to wait. Returns the deadline.
    fn poll_schedule<Item, Si, B, E>(
        &mut self,
        sink: &mut SinkState<Item, Si, U, B>,
        cx: &mut Context<'_>,
    ) -> Result<Option<U::Instant>, DriverError<E>> {
        loop {
            let now = sink.schedule.now();
            match sink.schedule.poll_deadline(now, cx).map_err(DriverError::detached)? {
                Action::SendHeartbeat { late } => {
                    self.pending = Some(PendingHeartbeat { late, due_at: now });
                }
                Action::GiveUp => self.reporter.gave_up(),
                Action::WaitUntil(deadline) => return Ok(Some(deadline)),
                Action::WaitForever => {
                    if self.pending.is_none() {
                        sink.wake_driver_on = WakeDriverOn::Event;
                    }
                    return Ok(None);
                }
                Action::Stalled => return Err(DriverError::Stalled),
                Action::Stopped => return Ok(None), // only after `stop`
            }
        }
    }

    /// Limits the time for the last flush (T18). Returns the deadline.
    fn poll_final_flush<Item, Si, B, E>(
        &mut self,
        sink: &mut SinkState<Item, Si, U, B>,
        cx: &mut Context<'_>,
    ) -> Result<Option<U::Instant>, DriverError<E>> {
        if !mem::replace(&mut self.final_flush, true) {
            sink.schedule.restart(Config::every(Duration::MAX).with_give_up_after(sink.last_flush));
        }
        let now = sink.schedule.now();
        match sink.schedule.poll_deadline(now, cx).map_err(DriverError::detached)? {
            Action::WaitUntil(deadline) => Ok(Some(deadline)),
            Action::GiveUp => Err(DriverError::Stalled),
            _ => Ok(None),
        }
    }

    /// Ends the heartbeats, and reports what the observer does not know yet.
    pub(super) fn end<Item, Si, B, E>(
        &mut self,
        sink: &mut SinkState<Item, Si, U, B>,
        result: &Result<(), DriverError<E>>,
    ) {
        match result {
            Err(DriverError::Stalled) => self.reporter.stalled(),
            #[cfg(feature = "hub")]
            Err(DriverError::Hub(error)) => self.reporter.detached(*error),
            Ok(()) | Err(DriverError::Transport(_)) => {}
        }
        sink.end();
        self.report_idle(sink);
        self.report_lost();
    }

    /// Reports the longest silence that has ended since the last report.
    fn report_idle<Item, Si, B>(&self, sink: &mut SinkState<Item, Si, U, B>) {
        if let Some(idle) = sink.take_longest_idle() {
            self.reporter.idle(idle);
        }
    }

    pub(super) fn new(observer: O) -> Self {
        let reporter = Reporter::new(observer.into_observer());
        Self { reporter, pending: None, unflushed: None, final_flush: false }
    }

    fn report_outcome(&mut self, outcome: Outcome) {
        if let Some(InFlight { late, encoded_len }) = self.unflushed.take() {
            self.reporter.heartbeat(outcome, late, encoded_len);
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

impl<O: Telemetry, U: SinkSchedule> Drop for DriverState<O, U> {
    fn drop(&mut self) {
        self.report_lost();
    }
}
