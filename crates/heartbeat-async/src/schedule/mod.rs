//! What tells a stream when its next heartbeat is due: a timer, on which each has an alarm of its own, or
//! a hub, which has one for all.

pub(crate) mod lazy_sleep;
pub(crate) mod local;
pub(crate) mod seed;

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use heartbeat_core::{Action, Config, Instant};

/// Why a stream is not served: only a hub can fail to.
#[cfg(feature = "hub")]
pub(crate) use crate::HubError as DetachReason;
#[cfg(not(feature = "hub"))]
pub(crate) use core::convert::Infallible as DetachReason;

/// What paces heartbeats: every [`Timer`](crate::Timer), on which each stream has an alarm of its own,
/// and a [hub](crate#features), which many streams share.
///
/// There are no others. To serve a runtime of yours, implement [`Timer`](crate::Timer).
pub trait Scheduler: SealedScheduler {}

impl<P: SealedScheduler> Scheduler for P {}

pub trait SealedScheduler: Sized {
    type Instant: Instant;
    type Schedule: Schedule<Instant = Self::Instant>;
    type SinkSchedule: SinkSchedule<Instant = Self::Instant>;

    /// The schedule of a stream whose silence begins now (T2).
    fn schedule(self, config: Config) -> Self::Schedule;

    /// The same of a sink.
    fn schedule_sink(self, config: Config) -> Self::SinkSchedule;
}

/// What a stream is woken by.
pub(crate) type SleepOf<P> = <<P as SealedScheduler>::Schedule as Schedule>::Sleep;

/// The machine of one stream, or where that is; and the clock that it goes by.
pub trait Schedule {
    type Instant: Instant;

    /// Wakes whoever waits for [`poll_due`](Self::poll_due).
    type Sleep: Default;

    type Witness: Witness;

    /// Who knows what becomes of the heartbeat that the consumer takes now. Once the schedule is stopped or
    /// gone it knows nothing.
    fn witness(&self) -> Self::Witness;

    fn now(&self) -> Self::Instant;

    /// Tells the machine what has happened, without asking it.
    fn report(&mut self, news: Activity, now: Self::Instant);

    /// The consumer has taken a heartbeat and is back, but may have no time to report it for long. Told
    /// where that matters. Answers whether it was away for too long, and there are no more heartbeats (T20).
    fn consumer_is_back(&mut self) -> bool;

    /// Ends the heartbeats, and lets go of whatever would wake for them (T9).
    fn stop(&mut self);

    /// Tells the machine what has happened, and asks whether a heartbeat is due. Otherwise the task is
    /// woken when one may be.
    fn poll_due(
        &mut self,
        alarm: Pin<&mut Self::Sleep>,
        news: Activity,
        now: Self::Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Verdict>;
}

/// Knows what becomes of a heartbeat, for who tells of the end of a stream and is not the schedule.
pub trait Witness {
    /// Whether the consumer stays away for longer than it may (T20).
    fn has_stalled(&self) -> bool;
}

impl Witness for () {
    /// Nobody looks.
    fn has_stalled(&self) -> bool {
        false
    }
}

impl<W: Witness> Witness for Option<W> {
    fn has_stalled(&self) -> bool {
        self.as_ref().is_some_and(W::has_stalled)
    }
}

/// The machine of a sink, which hears of sends from one task, and is asked by another.
pub trait SinkSchedule {
    type Instant: Instant;

    /// Wakes whoever has asked [`poll_deadline`](Self::poll_deadline).
    type Sleep: Future<Output = ()>;

    fn now(&self) -> Self::Instant;

    /// How long the silence has lasted. Not asked once there are no heartbeats any more.
    fn silence(&self, now: Self::Instant) -> Duration;

    fn report(&mut self, news: Activity, now: Self::Instant);

    fn is_in_flight(&self) -> bool;

    fn stop(&mut self);

    /// Begins anew, by another configuration.
    fn restart(&mut self, config: Config);

    /// What the machine answers. If that is a deadline, the alarm is [set](Self::set) for it.
    fn poll_deadline(
        &mut self,
        now: Self::Instant,
        cx: &mut Context<'_>,
    ) -> Result<Action<Self::Instant>, DetachReason>;

    /// Sets an alarm for what [`poll_deadline`](Self::poll_deadline) has answered.
    fn set(&self, sleep: Pin<&mut Option<Self::Sleep>>, deadline: Self::Instant);
}

/// What there is to tell a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    None,
    /// A real event was sent.
    Event,
    /// Other bytes left.
    OtherBytes,
}

/// What a stream has to do now.
#[derive(Debug)]
pub enum Verdict {
    SendHeartbeat { late: Duration },
    GaveUp,
    Detached(DetachReason),
}
