use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use heartbeat_core::{Action, Config, Key};

use super::shard::{Asked, Shard};
use crate::Timer;
use crate::pacemaker::{Due, News, Pulse, Witness};

/// The machine of a stream, that lives in a hub: where it is. 16 bytes, and no more, for a stream to take 24
/// together with what it notes itself: that is what fits into the smallest task of tokio.
pub struct HubPulse<T: Timer> {
    shard: Arc<Shard<T>>,
    key: Option<Key>,
}

impl<T: Timer> HubPulse<T> {
    pub(super) fn born(shard: Arc<Shard<T>>, config: Config) -> Self {
        let key = shard.open(config, shard.clock().now());
        Self { shard, key }
    }
}

impl<T: Timer> Pulse for HubPulse<T> {
    type Instant = Duration;
    type Alarm = ();
    type Witness = HubWitness<T>;

    fn witness(&self) -> HubWitness<T> {
        HubWitness { shard: Arc::clone(&self.shard), key: self.key }
    }

    fn now(&self) -> Duration {
        self.shard.clock().now()
    }

    fn report(&mut self, news: News, now: Duration) {
        self.shard.report(self.key, news, now);
    }

    /// At once: until it hears of it the hub takes the peer for one that does not read (T20).
    fn consumer_is_back(&mut self) -> bool {
        self.shard.consumer_is_back(self.key)
    }

    fn stop(&mut self) {
        self.shard.close(&mut self.key);
    }

    fn poll_due(
        &mut self,
        _: Pin<&mut ()>,
        news: News,
        now: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<Due> {
        let moved = news != News::Nothing;
        match self.shard.ask(self.key, (news, now), now, moved, cx.waker()) {
            Asked::Machine(Action::SendHeartbeat { late }) => Poll::Ready(Due::Heartbeat { late }),
            Asked::Machine(Action::GiveUp) => Poll::Ready(Due::GaveUp),
            Asked::Machine(_) | Asked::Needless => Poll::Pending,
            Asked::Abandoned(error) => Poll::Ready(Due::Abandoned(error)),
        }
    }
}

impl<T: Timer> Drop for HubPulse<T> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<T: Timer> fmt::Debug for HubPulse<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubPulse").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Asks the machine of a stream that lives in a hub.
pub struct HubWitness<T: Timer> {
    shard: Arc<Shard<T>>,
    key: Option<Key>,
}

impl<T: Timer> Witness for HubWitness<T> {
    fn has_stalled(&self) -> bool {
        self.shard.has_stalled(self.key)
    }
}

impl<T: Timer> fmt::Debug for HubWitness<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubWitness").field("key", &self.key).finish_non_exhaustive()
    }
}
