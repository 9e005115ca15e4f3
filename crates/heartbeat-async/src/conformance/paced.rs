//! The pacemaker under test: the timer itself, or a hub on it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use heartbeat_core::Action;
use pin_project_lite::pin_project;

use crate::alarm::Alarm;
use crate::own::Own;
use crate::pacemaker::{Abandoned, Due, News, Paces, Pulse, SinkPulse};
use crate::{Config, Hub, Instant, Timer};

pub(super) enum Paced<T: Timer> {
    Own(T),
    Hub(Hub<T>),
}

type HubPulse<T> = <Hub<T> as Paces>::Pulse;
type HubSinkPulse<T> = <Hub<T> as Paces>::SinkPulse;

pub(super) enum Either<A, B> {
    Own(A),
    Hub(B),
}

impl<T: Timer> Paces for Paced<T> {
    type Instant = When<T::Instant>;
    type Pulse = Either<Own<T>, HubPulse<T>>;
    type SinkPulse = Either<Own<T>, HubSinkPulse<T>>;

    fn born(self, config: Config) -> Self::Pulse {
        match self {
            Self::Own(timer) => Either::Own(timer.born(config)),
            Self::Hub(hub) => Either::Hub(hub.born(config)),
        }
    }

    fn born_for_sink(self, config: Config) -> Self::SinkPulse {
        match self {
            Self::Own(timer) => Either::Own(timer.born_for_sink(config)),
            Self::Hub(hub) => Either::Hub(hub.born_for_sink(config)),
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
        own: Alarm<T>,
        #[pin]
        hub: (),
    }
}

impl<T: Timer> Default for PacedAlarm<T> {
    fn default() -> Self {
        Self { own: Alarm::default(), hub: () }
    }
}

pin_project! {
    pub(super) struct PacedSleep<T: Timer> {
        #[pin]
        own: Option<T::Sleep>,
        #[pin]
        hub: Option<<HubSinkPulse<T> as SinkPulse>::Sleep>,
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

impl<T: Timer> Pulse for Either<Own<T>, HubPulse<T>> {
    type Instant = When<T::Instant>;
    type Alarm = PacedAlarm<T>;
    type Witness = Option<<HubPulse<T> as Pulse>::Witness>;

    fn witness(&self) -> Self::Witness {
        match self {
            Self::Own(_) => None,
            Self::Hub(pulse) => Some(pulse.witness()),
        }
    }

    fn now(&self) -> Self::Instant {
        match self {
            Self::Own(pulse) => When::Own(Pulse::now(pulse)),
            Self::Hub(pulse) => When::Hub(pulse.now()),
        }
    }

    fn report(&mut self, news: News, now: Self::Instant) {
        match self {
            Self::Own(pulse) => Pulse::report(pulse, news, now.own()),
            Self::Hub(pulse) => pulse.report(news, now.hub()),
        }
    }

    fn consumer_is_back(&mut self) -> bool {
        match self {
            Self::Own(pulse) => pulse.consumer_is_back(),
            Self::Hub(pulse) => pulse.consumer_is_back(),
        }
    }

    fn stop(&mut self) {
        match self {
            Self::Own(pulse) => Pulse::stop(pulse),
            Self::Hub(pulse) => pulse.stop(),
        }
    }

    fn poll_due(
        &mut self,
        alarm: Pin<&mut PacedAlarm<T>>,
        news: News,
        now: Self::Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Due> {
        let alarm = alarm.project();
        match self {
            Self::Own(pulse) => pulse.poll_due(alarm.own, news, now.own(), cx),
            Self::Hub(pulse) => pulse.poll_due(alarm.hub, news, now.hub(), cx),
        }
    }
}

impl<T: Timer> SinkPulse for Either<Own<T>, HubSinkPulse<T>> {
    type Instant = When<T::Instant>;
    type Sleep = PacedSleep<T>;

    fn now(&self) -> Self::Instant {
        match self {
            Self::Own(pulse) => When::Own(SinkPulse::now(pulse)),
            Self::Hub(pulse) => When::Hub(pulse.now()),
        }
    }

    fn silence(&self, now: Self::Instant) -> Duration {
        match self {
            Self::Own(pulse) => pulse.silence(now.own()),
            Self::Hub(pulse) => pulse.silence(now.hub()),
        }
    }

    fn report(&mut self, news: News, now: Self::Instant) {
        match self {
            Self::Own(pulse) => SinkPulse::report(pulse, news, now.own()),
            Self::Hub(pulse) => pulse.report(news, now.hub()),
        }
    }

    fn is_in_flight(&self) -> bool {
        match self {
            Self::Own(pulse) => pulse.is_in_flight(),
            Self::Hub(pulse) => pulse.is_in_flight(),
        }
    }

    fn stop(&mut self) {
        match self {
            Self::Own(pulse) => SinkPulse::stop(pulse),
            Self::Hub(pulse) => pulse.stop(),
        }
    }

    fn restart(&mut self, config: Config) {
        match self {
            Self::Own(pulse) => pulse.restart(config),
            Self::Hub(pulse) => pulse.restart(config),
        }
    }

    fn poll_deadline(
        &mut self,
        now: Self::Instant,
        cx: &mut Context<'_>,
    ) -> Result<Action<Self::Instant>, Abandoned> {
        Ok(match self {
            Self::Own(pulse) => told(pulse.poll_deadline(now.own(), cx)?, When::Own),
            Self::Hub(pulse) => told(pulse.poll_deadline(now.hub(), cx)?, When::Hub),
        })
    }

    fn set(&self, mut sleep: Pin<&mut Option<PacedSleep<T>>>, deadline: Self::Instant) {
        if sleep.is_none() {
            sleep.set(Some(PacedSleep { own: None, hub: None }));
        }
        let Some(sleep) = sleep.as_pin_mut() else { return };
        let sleep = sleep.project();
        match self {
            Self::Own(pulse) => pulse.set(sleep.own, deadline.own()),
            Self::Hub(pulse) => pulse.set(sleep.hub, deadline.hub()),
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
