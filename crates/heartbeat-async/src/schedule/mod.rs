//! When the next heartbeat of a stream is due: by a timer with a sleep of the stream's own, or by a hub that many
//! streams share.

pub(crate) mod lazy_sleep;
pub(crate) mod local;
pub(crate) mod seed;

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use heartbeat_core::{Action, Config, Instant};

/// Why a stream has no schedule any more: only a hub can detach one.
#[cfg(feature = "hub")]
pub(crate) use crate::HubError as DetachReason;
#[cfg(not(feature = "hub"))]
pub(crate) use core::convert::Infallible as DetachReason;

/// Schedules heartbeats: every [`Timer`](crate::Timer), with one sleep per stream, and the [hub](crate#features), with one
/// sleep for all its streams.
///
/// This trait is sealed. To support a runtime, implement [`Timer`](crate::Timer).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot schedule heartbeats",
    note = "pass a `Timer` or a `Hub`, by value: `hub.clone()` shares a hub"
)]
pub trait Scheduler: sealed::Scheduler {}

impl<P: sealed::Scheduler> Scheduler for P {}

pub(crate) mod sealed {
    use super::{Config, Instant, Schedule, SinkSchedule};

    pub trait Scheduler: Sized {
        type Instant: Instant;
        type Schedule: Schedule<Instant = Self::Instant>;
        type SinkSchedule: SinkSchedule<Instant = Self::Instant>;

        /// The schedule of a stream that is opened now.
        fn schedule(self, config: Config) -> Self::Schedule;

        /// The schedule of a sink that is opened now.
        fn schedule_sink(self, config: Config) -> Self::SinkSchedule;
    }
}

/// What wakes a stream that waits for its next heartbeat.
pub(crate) type SleepOf<P> = <<P as sealed::Scheduler>::Schedule as Schedule>::Sleep;

/// When the next heartbeat of one stream is due.
pub trait Schedule {
    type Instant: Instant;

    /// Wakes the task that waits in [`poll_due`](Self::poll_due).
    type Sleep: Default;

    fn now(&self) -> Self::Instant;

    /// Records what the consumer has taken.
    fn report(&mut self, activity: Activity, now: Self::Instant);

    /// The consumer has polled again after a heartbeat. Returns whether it took too long, so that the heartbeats
    /// have stopped (T20). Called only where stalls are detected.
    fn on_consumer_polled(&mut self) -> bool;

    /// Whether a consumer that has taken a heartbeat has not polled again for too long (T20).
    fn has_stalled(&self) -> bool;

    /// Records what the consumer has taken, and decides whether a heartbeat is due. If not, the task is woken when one
    /// may be.
    fn poll_due(
        &mut self,
        sleep: Pin<&mut Self::Sleep>,
        activity: Activity,
        now: Self::Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Verdict>;
}

/// When the next heartbeat of one sink is due. Senders report to it, and the driver polls it.
pub trait SinkSchedule {
    type Instant: Instant;

    /// Wakes the task that called [`poll_deadline`](Self::poll_deadline), unless the schedule itself does.
    type Sleep: Future<Output = ()>;

    fn now(&self) -> Self::Instant;

    /// The time since bytes were last sent. Not called once the heartbeats have stopped.
    fn idle_time(&self, now: Self::Instant) -> Duration;

    /// Records what was sent.
    fn report(&mut self, activity: Activity, now: Self::Instant);

    /// Whether a heartbeat is due that was not reported as sent, nor cancelled by a send.
    fn is_in_flight(&self) -> bool;

    fn stop(&mut self);

    /// Starts again with another configuration.
    fn restart(&mut self, config: Config);

    /// Decides whether a heartbeat is due. For a deadline, [`reset`](Self::reset) the sleep.
    fn poll_deadline(
        &mut self,
        now: Self::Instant,
        cx: &mut Context<'_>,
    ) -> Result<Action<Self::Instant>, DetachReason>;

    /// Makes the sleep end at a deadline that [`poll_deadline`](Self::poll_deadline) has returned.
    fn reset(&self, sleep: Pin<&mut Option<Self::Sleep>>, deadline: Self::Instant);
}

/// What was sent since the last report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    None,
    Event,
    /// Bytes that are no event, such as a heartbeat.
    OtherBytes,
}

/// What a stream does now.
#[derive(Debug)]
pub enum Verdict {
    SendHeartbeat { late: Duration },
    GaveUp,
    Detached(DetachReason),
}
