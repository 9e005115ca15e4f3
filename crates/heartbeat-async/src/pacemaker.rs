//! What tells a stream when its next heartbeat is due: a timer, on which each has an alarm of its own, or
//! a hub, which has one for all.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use heartbeat_core::{Action, Config, Instant};

/// Why a stream is not served: only a hub can fail to.
#[cfg(feature = "hub")]
pub(crate) use crate::HubError as Abandoned;
#[cfg(not(feature = "hub"))]
pub(crate) use core::convert::Infallible as Abandoned;

/// What paces heartbeats: every [`Timer`](crate::Timer), on which each stream has an alarm of its own,
/// and a [hub](crate#features), which many streams share.
///
/// There are no others. To serve a runtime of yours, implement [`Timer`](crate::Timer).
pub trait Pacemaker: Paces {}

impl<P: Paces> Pacemaker for P {}

pub trait Paces: Sized {
    type Pulse: Pulse;

    /// The pulse of a stream, or of a sink, whose silence begins now (T2).
    fn born(self, config: Config) -> Self::Pulse;
}

/// The instants of a pacemaker.
pub(crate) type InstantOf<P> = <<P as Paces>::Pulse as Pulse>::Instant;
/// What a stream is woken by.
pub(crate) type AlarmOf<P> = <<P as Paces>::Pulse as Pulse>::Alarm;

/// The machine of one stream, or of a sink, or where that is; and the clock that it goes by.
pub trait Pulse {
    type Instant: Instant;

    /// Wakes whoever waits for [`poll_due`](Self::poll_due).
    type Alarm: Default;

    /// Wakes whoever has asked [`poll_deadline`](Self::poll_deadline).
    type Sleep: Future<Output = ()>;

    fn now(&self) -> Self::Instant;

    /// How long the silence has lasted. Not asked once there are no heartbeats any more.
    fn silence(&self, now: Self::Instant) -> Duration;

    fn on_send(&mut self, now: Self::Instant);

    fn on_bytes(&mut self, now: Self::Instant);

    /// The consumer has taken a heartbeat and is back, but may have no time to
    /// [report](Self::on_bytes) it for long.
    fn consumer_is_back(&mut self);

    fn is_in_flight(&self) -> bool;

    /// Ends the heartbeats, and lets go of whatever would wake for them (T9).
    fn stop(&mut self);

    /// Begins anew, by another configuration.
    fn restart(&mut self, config: Config);

    /// Whether a heartbeat is due, or something to be told has happened. Otherwise the task is woken when
    /// one may be. `moved` says that the deadline has moved since this was last asked.
    fn poll_due(
        &mut self,
        alarm: Pin<&mut Self::Alarm>,
        now: Self::Instant,
        moved: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Due>;

    /// What the machine answers. If that is a deadline, the alarm is [set](Self::set) for it.
    fn poll_deadline(
        &mut self,
        now: Self::Instant,
        cx: &mut Context<'_>,
    ) -> Result<Action<Self::Instant>, Abandoned>;

    /// Sets an alarm for what [`poll_deadline`](Self::poll_deadline) has answered.
    fn set(&self, sleep: Pin<&mut Option<Self::Sleep>>, deadline: Self::Instant);
}

/// What a stream has to do now.
#[derive(Debug)]
pub enum Due {
    Heartbeat { late: Duration },
    GaveUp,
    Stalled,
    Abandoned(Abandoned),
}
