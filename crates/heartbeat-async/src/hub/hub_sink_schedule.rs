use core::future::Pending;
use core::mem;
use core::pin::Pin;
use core::task::Context;
use core::time::Duration;

use heartbeat_core::{Action, Config};

use super::HubError;
use super::hub_schedule::HubSchedule;
use super::shard::Polled;
use crate::Timer;
use crate::schedule::{Activity, Schedule, SinkSchedule};
use crate::sync::Arc;

/// The schedule of a sink on a hub: where its heartbeat is, and what was not reported to it yet. A send is
/// recorded here, and takes no lock of the hub.
#[derive(Debug)]
pub struct HubSinkSchedule<T: Timer> {
    member: HubSchedule<T>,
    /// When bytes were last sent, or when the schedule began.
    last_send: Duration,
    /// What was sent then, unless it was reported to the heartbeat.
    unreported: Activity,
    is_in_flight: bool,
}

impl<T: Timer> HubSinkSchedule<T> {
    pub(super) fn new(member: HubSchedule<T>) -> Self {
        let last_send = member.now();
        Self { member, last_send, unreported: Activity::None, is_in_flight: false }
    }
}

impl<T: Timer> SinkSchedule for HubSinkSchedule<T> {
    type Instant = Duration;
    type Sleep = Pending<()>;

    fn now(&self) -> Duration {
        self.member.now()
    }

    fn idle_time(&self, now: Duration) -> Duration {
        now.saturating_sub(self.last_send)
    }

    fn report(&mut self, activity: Activity, now: Duration) {
        let now = now.max(self.last_send); // T7
        if mem::take(&mut self.is_in_flight) {
            // Reported at once: until then the peer may count as stalled (T20).
            self.member.report(activity, now);
        } else {
            // There is room for one report, and an event must not be lost (T12).
            if (self.unreported, activity) == (Activity::Event, Activity::OtherBytes) {
                self.member.report(Activity::Event, self.last_send);
            }
            self.unreported = activity;
        }
        self.last_send = now;
    }

    fn is_in_flight(&self) -> bool {
        self.is_in_flight
    }

    fn stop(&mut self) {
        self.member.remove();
        self.is_in_flight = false;
    }

    fn restart(&mut self, config: Config) {
        *self = Self::new(HubSchedule::new(Arc::clone(self.member.shard()), config));
    }

    fn poll_deadline(
        &mut self,
        now: Duration,
        cx: &mut Context<'_>,
    ) -> Result<Action<Duration>, HubError> {
        let activity = mem::replace(&mut self.unreported, Activity::None);
        match self.member.poll((activity, self.last_send), now, false, cx) {
            Polled::Action(action) => {
                self.is_in_flight |= matches!(action, Action::SendHeartbeat { .. });
                Ok(action)
            }
            Polled::Unchanged => Ok(Action::WaitForever),
            Polled::Detached(error) => Err(error),
        }
    }

    /// No sleep is needed: the hub wakes the task that polled the deadline last.
    fn reset(&self, _: Pin<&mut Option<Pending<()>>>, _: Duration) {}
}
