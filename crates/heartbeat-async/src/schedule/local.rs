use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use heartbeat_core::{Action, Config, Heartbeat};

use super::lazy_sleep::LazySleep;
use super::seed;
use super::{Activity, DetachReason, Schedule, SinkSchedule, Verdict, sealed};
use crate::Timer;

/// A schedule with a sleep of its own.
pub struct LocalSchedule<T: Timer> {
    heartbeat: Heartbeat<T::Instant>,
    timer: T,
}

impl<T: Timer> sealed::Scheduler for T {
    type Instant = T::Instant;
    type Schedule = LocalSchedule<T>;
    type SinkSchedule = LocalSchedule<T>;

    fn schedule(self, config: Config) -> LocalSchedule<T> {
        LocalSchedule { heartbeat: new_heartbeat(config, &self), timer: self }
    }

    fn schedule_sink(self, config: Config) -> LocalSchedule<T> {
        self.schedule(config)
    }
}

fn new_heartbeat<T: Timer>(config: Config, timer: &T) -> Heartbeat<T::Instant> {
    Heartbeat::new(&seed::with_unique_seed(config), timer.now())
        .with_granularity(timer.granularity())
}

impl<T: Timer> Schedule for LocalSchedule<T> {
    type Instant = T::Instant;
    type Sleep = LazySleep<T>;

    fn now(&self) -> T::Instant {
        self.timer.now()
    }

    fn report(&mut self, activity: Activity, now: T::Instant) {
        match activity {
            Activity::None => {}
            Activity::Event => self.heartbeat.on_send(now),
            Activity::OtherBytes => self.heartbeat.on_bytes(now),
        }
    }

    /// Never too late: the state machine is not polled while the consumer is idle.
    fn on_consumer_polled(&mut self) -> bool {
        false
    }

    fn has_stalled(&self) -> bool {
        false
    }

    fn poll_due(
        &mut self,
        mut sleep: Pin<&mut LazySleep<T>>,
        activity: Activity,
        mut now: T::Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Verdict> {
        Schedule::report(self, activity, now);
        // Activity moves the deadline to after the end of the sleep, which stays set.
        if activity != Activity::None && sleep.as_mut().will_wake(cx) {
            return Poll::Pending;
        }

        // The clock decides whether a heartbeat is due; the sleep only wakes the task.
        let mut was_reset = false;
        loop {
            let deadline = match self.heartbeat.poll_deadline(now) {
                Action::WaitUntil(deadline) => deadline,
                Action::SendHeartbeat { late } => {
                    sleep.forget();
                    return Poll::Ready(Verdict::SendHeartbeat { late });
                }
                // Until the next event (T12).
                Action::GiveUp => return Poll::Ready(Verdict::GaveUp),
                // A stream drops its schedule when it stops, and does not poll it while a heartbeat is in flight, so
                // `Stopped` and `Stalled` come only to sinks.
                Action::WaitForever | Action::Stopped | Action::Stalled => return Poll::Pending,
            };
            ready!(sleep.as_mut().poll(&self.timer, deadline, &mut was_reset, cx));
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

    fn idle_time(&self, now: T::Instant) -> Duration {
        self.heartbeat.idle_time(now)
    }

    fn report(&mut self, activity: Activity, now: T::Instant) {
        Schedule::report(self, activity, now);
    }

    fn is_in_flight(&self) -> bool {
        self.heartbeat.is_in_flight()
    }

    fn stop(&mut self) {
        self.heartbeat.stop();
    }

    fn restart(&mut self, config: Config) {
        self.heartbeat = new_heartbeat(config, &self.timer);
    }

    fn poll_deadline(
        &mut self,
        now: T::Instant,
        _: &mut Context<'_>,
    ) -> Result<Action<T::Instant>, DetachReason> {
        Ok(self.heartbeat.poll_deadline(now))
    }

    fn reset(&self, sleep: Pin<&mut Option<T::Sleep>>, deadline: T::Instant) {
        self.timer.reset(sleep, deadline);
    }
}

impl<T: Timer> fmt::Debug for LocalSchedule<T>
where
    T::Instant: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heartbeat.fmt(f)
    }
}
