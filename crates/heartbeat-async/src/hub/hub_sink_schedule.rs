use crate::sync::Arc;
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

/// The machine of a sink, that lives in a hub: where it is, and what it has not heard of yet. A sender
/// notes what it sends here, and leaves the hub in peace.
pub struct HubSinkSchedule<T: Timer> {
    shard: Arc<Shard<T>>,
    key: Option<Key>,
    /// When bytes last left, or when this began.
    last: Duration,
    /// Whether the machine has not heard of that.
    news: Activity,
    is_in_flight: bool,
}

impl<T: Timer> HubSinkSchedule<T> {
    pub(super) fn schedule(shard: Arc<Shard<T>>, config: Config) -> Self {
        let now = shard.clock().now();
        let key = shard.open(config, now);
        Self { shard, key, last: now, news: Activity::None, is_in_flight: false }
    }
}

impl<T: Timer> SinkSchedule for HubSinkSchedule<T> {
    type Instant = Duration;
    type Sleep = Sleep<T>;

    fn now(&self) -> Duration {
        self.shard.clock().now()
    }

    fn silence(&self, now: Duration) -> Duration {
        now.saturating_sub(self.last)
    }

    fn report(&mut self, news: Activity, now: Duration) {
        let now = now.max(self.last); // T7
        if mem::take(&mut self.is_in_flight) {
            // At once: until it hears of it the hub takes the peer for one that does not read (T20).
            self.shard.report(self.key, news, now);
        } else {
            // There is room for one, and of a real event the machine has to hear (T12).
            if (self.news, news) == (Activity::Event, Activity::OtherBytes) {
                self.shard.report(self.key, Activity::Event, self.last);
            }
            self.news = news;
        }
        self.last = now;
    }

    fn is_in_flight(&self) -> bool {
        self.is_in_flight
    }

    fn stop(&mut self) {
        self.shard.close(&mut self.key);
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
        let news = mem::replace(&mut self.news, Activity::None);
        match self.shard.ask(self.key, (news, self.last), now, false, cx.waker()) {
            Polled::Action(action) => {
                self.is_in_flight |= matches!(action, Action::SendHeartbeat { .. });
                Ok(action)
            }
            Polled::Unchanged => Ok(Action::WaitForever),
            Polled::Detached(error) => Err(error),
        }
    }

    fn set(&self, mut sleep: Pin<&mut Option<Sleep<T>>>, _: Duration) {
        sleep.set(Some(Sleep { shard: Arc::clone(&self.shard), key: self.key }));
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

/// Ready once the hub has woken whoever has asked it for a deadline.
pub struct Sleep<T: Timer> {
    shard: Arc<Shard<T>>,
    key: Option<Key>,
}

impl<T: Timer> Future for Sleep<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.shard.was_woken(self.key, cx.waker()) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<T: Timer> fmt::Debug for Sleep<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("key", &self.key).finish_non_exhaustive()
    }
}
