use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use heartbeat_core::{Action, Config, Heartbeat};

use super::seed;
use crate::Timer;
use crate::schedule::lazy_sleep::LazySleep;
use crate::schedule::{Activity, DetachReason, Schedule, SealedScheduler, SinkSchedule, Verdict};

/// A machine of one's own, on an alarm of one's own.
pub struct LocalSchedule<T: Timer> {
    heart: Heartbeat<T::Instant>,
    timer: T,
}

impl<T: Timer> SealedScheduler for T {
    type Instant = T::Instant;
    type Schedule = LocalSchedule<T>;
    type SinkSchedule = LocalSchedule<T>;

    fn schedule(self, config: Config) -> LocalSchedule<T> {
        LocalSchedule { heart: heart(config, &self), timer: self }
    }

    fn schedule_sink(self, config: Config) -> LocalSchedule<T> {
        self.schedule(config)
    }
}

impl<T: Timer> LocalSchedule<T> {
    fn tell(&mut self, news: Activity, now: T::Instant) {
        match news {
            Activity::None => {}
            Activity::Event => self.heart.on_send(now),
            Activity::OtherBytes => self.heart.on_bytes(now),
        }
    }
}

fn heart<T: Timer>(config: Config, timer: &T) -> Heartbeat<T::Instant> {
    Heartbeat::new(&seed::with_unique_seed(config), timer.now())
        .with_granularity(timer.granularity())
}

impl<T: Timer> Schedule for LocalSchedule<T> {
    type Instant = T::Instant;
    type Sleep = LazySleep<T>;
    type Witness = ();

    fn witness(&self) {}

    fn now(&self) -> T::Instant {
        self.timer.now()
    }

    fn report(&mut self, news: Activity, now: T::Instant) {
        self.tell(news, now);
    }

    /// Nobody asks the machine before the report.
    fn consumer_is_back(&mut self) -> bool {
        false
    }

    fn stop(&mut self) {
        self.heart.stop();
    }

    fn poll_due(
        &mut self,
        mut alarm: Pin<&mut LazySleep<T>>,
        news: Activity,
        mut now: T::Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Verdict> {
        self.tell(news, now);
        // What happened has moved the deadline away from the alarm, which is set all the same. If nothing
        // has, it may be the alarm that has woken us, and it must be looked at.
        if news != Activity::None && alarm.holds(now, cx.waker()) {
            return Poll::Pending;
        }

        // The machine decides by the clock; the alarm only wakes us to ask it again.
        let mut rearmed = false;
        loop {
            let deadline = match self.heart.poll_deadline(now) {
                Action::WaitUntil(deadline) => deadline,
                Action::SendHeartbeat { late } => {
                    alarm.disarm();
                    return Poll::Ready(Verdict::SendHeartbeat { late });
                }
                // Only a real event changes that (T12).
                Action::GiveUp => return Poll::Ready(Verdict::GaveUp),
                // The last two are for others: who stopped is passing through, and who is asked
                // while a heartbeat is in flight is a push side.
                Action::WaitForever | Action::Stopped | Action::Stalled => return Poll::Pending,
            };
            ready!(alarm.as_mut().poll(&self.timer, deadline, now, &mut rearmed, cx));
            now = self.timer.now();
        }
    }
}

impl<T: Timer> SinkSchedule for LocalSchedule<T> {
    type Instant = T::Instant;
    type Sleep = T::Sleep;

    fn now(&self) -> T::Instant {
        self.timer.now()
    }

    fn silence(&self, now: T::Instant) -> Duration {
        self.heart.idle_time(now)
    }

    fn report(&mut self, news: Activity, now: T::Instant) {
        self.tell(news, now);
    }

    fn is_in_flight(&self) -> bool {
        self.heart.is_in_flight()
    }

    fn stop(&mut self) {
        self.heart.stop();
    }

    fn restart(&mut self, config: Config) {
        self.heart = heart(config, &self.timer);
    }

    fn poll_deadline(
        &mut self,
        now: T::Instant,
        _: &mut Context<'_>,
    ) -> Result<Action<T::Instant>, DetachReason> {
        Ok(self.heart.poll_deadline(now))
    }

    fn set(&self, sleep: Pin<&mut Option<T::Sleep>>, deadline: T::Instant) {
        self.timer.reset(sleep, deadline);
    }
}

impl<T: Timer> fmt::Debug for LocalSchedule<T>
where
    T::Instant: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heart.fmt(f)
    }
}
