use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use heartbeat_core::{Action, Config, Key};

use super::HubError;
use super::shard::{Polled, Shard};
use crate::Timer;
use crate::schedule::{Activity, SinkSchedule};
use crate::sync::Arc;

/// The schedule of a sink on a hub: where its heartbeat is, and what was not reported to it yet. A send is
/// recorded here, and takes no lock of the hub.
pub struct HubSinkSchedule<T: Timer> {
    shard: Arc<Shard<T>>,
    key: Option<Key>,
    /// When bytes were last sent, or when the schedule began.
    last_send: Duration,
    /// What was sent then, unless it was reported to the heartbeat.
    unreported: Activity,
    is_in_flight: bool,
}

impl<T: Timer> HubSinkSchedule<T> {
    pub(super) fn schedule(shard: Arc<Shard<T>>, config: Config) -> Self {
        let now = shard.clock().now();
        let key = shard.insert(config, now);
        Self { shard, key, last_send: now, unreported: Activity::None, is_in_flight: false }
    }
}

impl<T: Timer> SinkSchedule for HubSinkSchedule<T> {
    type Instant = Duration;
    type Sleep = WokenFuture<T>;

    fn now(&self) -> Duration {
        self.shard.clock().now()
    }

    fn idle_time(&self, now: Duration) -> Duration {
        now.saturating_sub(self.last_send)
    }

    fn report(&mut self, activity: Activity, now: Duration) {
        let now = now.max(self.last_send); // T7
        if mem::take(&mut self.is_in_flight) {
            // Reported at once: until then the peer may count as stalled (T20).
            self.shard.report(self.key, activity, now);
        } else {
            // There is room for one report, and an event must not be lost (T12).
            if (self.unreported, activity) == (Activity::Event, Activity::OtherBytes) {
                self.shard.report(self.key, Activity::Event, self.last_send);
            }
            self.unreported = activity;
        }
        self.last_send = now;
    }

    fn is_in_flight(&self) -> bool {
        self.is_in_flight
    }

    fn stop(&mut self) {
        self.shard.remove(&mut self.key);
        self.is_in_flight = false;
    }

    fn restart(&mut self, config: Config) {
        self.stop();
        *self = Self::schedule(Arc::clone(&self.shard), config);
    }

    fn poll_deadline(
        &mut self,
        now: Duration,
        cx: &mut Context<'_>,
    ) -> Result<Action<Duration>, HubError> {
        let activity = mem::replace(&mut self.unreported, Activity::None);
        let sent = (activity, self.last_send);
        match self.shard.poll_member(self.key, sent, now, false, cx.waker()) {
            Polled::Action(action) => {
                self.is_in_flight |= matches!(action, Action::SendHeartbeat { .. });
                Ok(action)
            }
            Polled::Unchanged => Ok(Action::WaitForever),
            Polled::Detached(error) => Err(error),
        }
    }

    fn reset(&self, mut sleep: Pin<&mut Option<WokenFuture<T>>>, _: Duration) {
        sleep.set(Some(WokenFuture { shard: Arc::clone(&self.shard), key: self.key }));
    }
}

impl<T: Timer> Drop for HubSinkSchedule<T> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<T: Timer> fmt::Debug for HubSinkSchedule<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubSinkSchedule").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Ready once the hub has woken the task that polled the deadline last.
pub struct WokenFuture<T: Timer> {
    shard: Arc<Shard<T>>,
    key: Option<Key>,
}

impl<T: Timer> Future for WokenFuture<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.shard.poll_woken(self.key, cx.waker())
    }
}

impl<T: Timer> fmt::Debug for WokenFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WokenFuture").field("key", &self.key).finish_non_exhaustive()
    }
}
