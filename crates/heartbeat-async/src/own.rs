use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use heartbeat_core::{Action, Config, Heartbeat};

use crate::Timer;
use crate::alarm::Alarm;
use crate::pacemaker::{Abandoned, Due, News, Paces, Pulse, SinkPulse};
use crate::seed;

/// A machine of one's own, on an alarm of one's own.
pub struct Own<T: Timer> {
    heart: Heartbeat<T::Instant>,
    timer: T,
}

impl<T: Timer> Paces for T {
    type Instant = T::Instant;
    type Pulse = Own<T>;
    type SinkPulse = Own<T>;

    fn born(self, config: Config) -> Own<T> {
        Own { heart: heart(config, &self), timer: self }
    }

    fn born_for_sink(self, config: Config) -> Own<T> {
        self.born(config)
    }
}

impl<T: Timer> Own<T> {
    fn tell(&mut self, news: News, now: T::Instant) {
        match news {
            News::Nothing => {}
            News::Sent => self.heart.on_send(now),
            News::Bytes => self.heart.on_bytes(now),
        }
    }
}

fn heart<T: Timer>(config: Config, timer: &T) -> Heartbeat<T::Instant> {
    Heartbeat::new(&seed::sown(config), timer.now()).with_granularity(timer.granularity())
}

impl<T: Timer> Pulse for Own<T> {
    type Instant = T::Instant;
    type Alarm = Alarm<T>;
    type Witness = ();

    fn witness(&self) {}

    fn now(&self) -> T::Instant {
        self.timer.now()
    }

    fn report(&mut self, news: News, now: T::Instant) {
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
        mut alarm: Pin<&mut Alarm<T>>,
        news: News,
        mut now: T::Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Due> {
        self.tell(news, now);
        // What happened has moved the deadline away from the alarm, which is set all the same. If nothing
        // has, it may be the alarm that has woken us, and it must be looked at.
        if news != News::Nothing && alarm.holds(now, cx.waker()) {
            return Poll::Pending;
        }

        // The machine decides by the clock; the alarm only wakes us to ask it again.
        let mut rearmed = false;
        loop {
            let deadline = match self.heart.poll_deadline(now) {
                Action::WaitUntil(deadline) => deadline,
                Action::SendHeartbeat { late } => {
                    alarm.disarm();
                    return Poll::Ready(Due::Heartbeat { late });
                }
                // Only a real event changes that (T12).
                Action::GiveUp => return Poll::Ready(Due::GaveUp),
                // The last two are for others: who stopped is passing through, and who is asked
                // while a heartbeat is in flight is a push side.
                Action::WaitForever | Action::Stopped | Action::Stalled => return Poll::Pending,
            };
            ready!(alarm.as_mut().poll(&self.timer, deadline, now, &mut rearmed, cx));
            now = self.timer.now();
        }
    }
}

impl<T: Timer> SinkPulse for Own<T> {
    type Instant = T::Instant;
    type Sleep = T::Sleep;

    fn now(&self) -> T::Instant {
        self.timer.now()
    }

    fn silence(&self, now: T::Instant) -> Duration {
        self.heart.silence(now)
    }

    fn report(&mut self, news: News, now: T::Instant) {
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
    ) -> Result<Action<T::Instant>, Abandoned> {
        Ok(self.heart.poll_deadline(now))
    }

    fn set(&self, sleep: Pin<&mut Option<T::Sleep>>, deadline: T::Instant) {
        self.timer.reset(sleep, deadline);
    }
}

impl<T: Timer> fmt::Debug for Own<T>
where
    T::Instant: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heart.fmt(f)
    }
}
