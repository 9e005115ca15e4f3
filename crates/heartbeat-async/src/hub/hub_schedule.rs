use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use heartbeat_core::{Action, Config, Key};

use super::shard::{Polled, Shard};
use crate::Timer;
use crate::schedule::{Activity, Schedule, Verdict};
use crate::sync::Arc;

/// The schedule of a stream on a hub: where its heartbeat is. It has 16 bytes, so that the keep-alive of a stream has
/// 24: that is what fits into the smallest task of tokio.
pub struct HubSchedule<T: Timer> {
    shard: Arc<Shard<T>>,
    key: Option<Key>,
}

impl<T: Timer> HubSchedule<T> {
    pub(super) fn new(shard: Arc<Shard<T>>, config: Config) -> Self {
        let key = shard.insert(config, shard.clock().now());
        Self { shard, key }
    }

    pub(super) fn shard(&self) -> &Arc<Shard<T>> {
        &self.shard
    }

    /// See [`Shard::poll_member`].
    pub(super) fn poll(
        &self,
        activity: (Activity, Duration),
        now: Duration,
        moved: bool,
        cx: &Context<'_>,
    ) -> Polled {
        self.shard.poll_member(self.key, activity, now, moved, cx.waker())
    }

    /// Takes the stream out of the hub. May be called again.
    pub(super) fn remove(&mut self) {
        self.shard.remove(&mut self.key);
    }
}

impl<T: Timer> Schedule for HubSchedule<T> {
    type Instant = Duration;
    type Sleep = ();

    fn now(&self) -> Duration {
        self.shard.clock().now()
    }

    fn report(&mut self, activity: Activity, now: Duration) {
        self.shard.report(self.key, activity, now);
    }

    /// Reports the heartbeat as sent at once: until then the hub takes the consumer for stalled (T20).
    fn on_consumer_polled(&mut self) -> bool {
        self.shard.on_consumer_polled(self.key)
    }

    fn has_stalled(&self) -> bool {
        self.shard.has_stalled(self.key)
    }

    fn poll_due(
        &mut self,
        _: Pin<&mut ()>,
        activity: Activity,
        now: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<Verdict> {
        let moved = activity != Activity::None;
        match self.poll((activity, now), now, moved, cx) {
            Polled::Action(Action::SendHeartbeat { late }) => {
                Poll::Ready(Verdict::SendHeartbeat { late })
            }
            Polled::Action(Action::GiveUp) => Poll::Ready(Verdict::GaveUp),
            Polled::Action(_) | Polled::Unchanged => Poll::Pending,
            Polled::Detached(error) => Poll::Ready(Verdict::Detached(error)),
        }
    }
}

impl<T: Timer> Drop for HubSchedule<T> {
    fn drop(&mut self) {
        self.remove();
    }
}

impl<T: Timer> fmt::Debug for HubSchedule<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubSchedule").field("key", &self.key).finish_non_exhaustive()
    }
}
