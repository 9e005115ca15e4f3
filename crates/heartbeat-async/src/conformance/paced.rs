//! The scheduler under test: the timer itself, or a hub on it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use heartbeat_core::Action;
use pin_project_lite::pin_project;

use crate::schedule::lazy_sleep::LazySleep;
use crate::schedule::local::LocalSchedule;
use crate::schedule::{Activity, DetachReason, Schedule, SealedScheduler, SinkSchedule, Verdict};
use crate::{Config, Hub, Instant, Timer};

pub(super) enum Paced<T: Timer> {
    Own(T),
    Hub(Hub<T>),
}

type HubSchedule<T> = <Hub<T> as SealedScheduler>::Schedule;
type HubSinkSchedule<T> = <Hub<T> as SealedScheduler>::SinkSchedule;

pub(super) enum Either<A, B> {
    Own(A),
    Hub(B),
}

impl<T: Timer> SealedScheduler for Paced<T> {
    type Instant = When<T::Instant>;
    type Schedule = Either<LocalSchedule<T>, HubSchedule<T>>;
    type SinkSchedule = Either<LocalSchedule<T>, HubSinkSchedule<T>>;

    fn schedule(self, config: Config) -> Self::Schedule {
        match self {
            Self::Own(timer) => Either::Own(timer.schedule(config)),
            Self::Hub(hub) => Either::Hub(hub.schedule(config)),
        }
    }

    fn schedule_sink(self, config: Config) -> Self::SinkSchedule {
        match self {
            Self::Own(timer) => Either::Own(timer.schedule_sink(config)),
            Self::Hub(hub) => Either::Hub(hub.schedule_sink(config)),
        }
    }
}

/// An instant of one of the two; those of one stream are all of the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When<I> {
    Own(I),
    Hub(Duration),
}

impl<I> When<I> {
    fn own(self) -> I {
        match self {
            Self::Own(at) => at,
            Self::Hub(_) => unreachable!("an instant of a hub, and no hub"),
        }
    }

    fn hub(self) -> Duration {
        match self {
            Self::Hub(at) => at,
            Self::Own(_) => unreachable!("an instant of no hub"),
        }
    }
}

impl<I: Instant> Instant for When<I> {
    fn checked_add(self, duration: Duration) -> Option<Self> {
        match self {
            Self::Own(at) => at.checked_add(duration).map(Self::Own),
            Self::Hub(at) => at.checked_add(duration).map(Self::Hub),
        }
    }

    fn saturating_duration_since(self, earlier: Self) -> Duration {
        match self {
            Self::Own(at) => at.saturating_duration_since(earlier.own()),
            Self::Hub(at) => at.saturating_sub(earlier.hub()),
        }
    }
}

pin_project! {
    pub(super) struct PacedAlarm<T: Timer> {
        #[pin]
        own: LazySleep<T>,
        #[pin]
        hub: (),
    }
}

impl<T: Timer> Default for PacedAlarm<T> {
    fn default() -> Self {
        Self { own: LazySleep::default(), hub: () }
    }
}

pin_project! {
    pub(super) struct PacedSleep<T: Timer> {
        #[pin]
        own: Option<T::Sleep>,
        #[pin]
        hub: Option<<HubSinkSchedule<T> as SinkSchedule>::Sleep>,
    }
}

impl<T: Timer> Future for PacedSleep<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        match (this.own.as_pin_mut(), this.hub.as_pin_mut()) {
            (Some(own), _) => own.poll(cx),
            (None, Some(hub)) => hub.poll(cx),
            (None, None) => Poll::Ready(()),
        }
    }
}

impl<T: Timer> Schedule for Either<LocalSchedule<T>, HubSchedule<T>> {
    type Instant = When<T::Instant>;
    type Sleep = PacedAlarm<T>;
    type Witness = Option<<HubSchedule<T> as Schedule>::Witness>;

    fn witness(&self) -> Self::Witness {
        match self {
            Self::Own(_) => None,
            Self::Hub(schedule) => Some(schedule.witness()),
        }
    }

    fn now(&self) -> Self::Instant {
        match self {
            Self::Own(schedule) => When::Own(Schedule::now(schedule)),
            Self::Hub(schedule) => When::Hub(schedule.now()),
        }
    }

    fn report(&mut self, news: Activity, now: Self::Instant) {
        match self {
            Self::Own(schedule) => Schedule::report(schedule, news, now.own()),
            Self::Hub(schedule) => schedule.report(news, now.hub()),
        }
    }

    fn consumer_is_back(&mut self) -> bool {
        match self {
            Self::Own(schedule) => schedule.consumer_is_back(),
            Self::Hub(schedule) => schedule.consumer_is_back(),
        }
    }

    fn stop(&mut self) {
        match self {
            Self::Own(schedule) => Schedule::stop(schedule),
            Self::Hub(schedule) => schedule.stop(),
        }
    }

    fn poll_due(
        &mut self,
        alarm: Pin<&mut PacedAlarm<T>>,
        news: Activity,
        now: Self::Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Verdict> {
        let alarm = alarm.project();
        match self {
            Self::Own(schedule) => schedule.poll_due(alarm.own, news, now.own(), cx),
            Self::Hub(schedule) => schedule.poll_due(alarm.hub, news, now.hub(), cx),
        }
    }
}

impl<T: Timer> SinkSchedule for Either<LocalSchedule<T>, HubSinkSchedule<T>> {
    type Instant = When<T::Instant>;
    type Sleep = PacedSleep<T>;

    fn now(&self) -> Self::Instant {
        match self {
            Self::Own(schedule) => When::Own(SinkSchedule::now(schedule)),
            Self::Hub(schedule) => When::Hub(schedule.now()),
        }
    }

    fn silence(&self, now: Self::Instant) -> Duration {
        match self {
            Self::Own(schedule) => schedule.silence(now.own()),
            Self::Hub(schedule) => schedule.silence(now.hub()),
        }
    }

    fn report(&mut self, news: Activity, now: Self::Instant) {
        match self {
            Self::Own(schedule) => SinkSchedule::report(schedule, news, now.own()),
            Self::Hub(schedule) => schedule.report(news, now.hub()),
        }
    }

    fn is_in_flight(&self) -> bool {
        match self {
            Self::Own(schedule) => schedule.is_in_flight(),
            Self::Hub(schedule) => schedule.is_in_flight(),
        }
    }

    fn stop(&mut self) {
        match self {
            Self::Own(schedule) => SinkSchedule::stop(schedule),
            Self::Hub(schedule) => schedule.stop(),
        }
    }

    fn restart(&mut self, config: Config) {
        match self {
            Self::Own(schedule) => schedule.restart(config),
            Self::Hub(schedule) => schedule.restart(config),
        }
    }

    fn poll_deadline(
        &mut self,
        now: Self::Instant,
        cx: &mut Context<'_>,
    ) -> Result<Action<Self::Instant>, DetachReason> {
        Ok(match self {
            Self::Own(schedule) => told(schedule.poll_deadline(now.own(), cx)?, When::Own),
            Self::Hub(schedule) => told(schedule.poll_deadline(now.hub(), cx)?, When::Hub),
        })
    }

    fn set(&self, mut sleep: Pin<&mut Option<PacedSleep<T>>>, deadline: Self::Instant) {
        if sleep.is_none() {
            sleep.set(Some(PacedSleep { own: None, hub: None }));
        }
        let Some(sleep) = sleep.as_pin_mut() else { return };
        let sleep = sleep.project();
        match self {
            Self::Own(schedule) => schedule.set(sleep.own, deadline.own()),
            Self::Hub(schedule) => schedule.set(sleep.hub, deadline.hub()),
        }
    }
}

fn told<I, J>(action: Action<I>, when: impl FnOnce(I) -> J) -> Action<J> {
    match action {
        Action::WaitUntil(at) => Action::WaitUntil(when(at)),
        Action::WaitForever => Action::WaitForever,
        Action::SendHeartbeat { late } => Action::SendHeartbeat { late },
        Action::GiveUp => Action::GiveUp,
        Action::Stalled => Action::Stalled,
        Action::Stopped => Action::Stopped,
    }
}
