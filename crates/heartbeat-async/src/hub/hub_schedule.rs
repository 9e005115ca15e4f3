use crate::sync::Arc;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use heartbeat_core::{Action, Config, Key};

use super::shard::{Polled, Shard};
use crate::Timer;
use crate::schedule::{Activity, Schedule, Verdict, Witness};

/// The machine of a stream, that lives in a hub: where it is. 16 bytes, and no more, for a stream to take 24
/// together with what it notes itself: that is what fits into the smallest task of tokio.
pub struct HubSchedule<T: Timer> {
    shard: Arc<Shard<T>>,
    key: Option<Key>,
}

impl<T: Timer> HubSchedule<T> {
    pub(super) fn schedule(shard: Arc<Shard<T>>, config: Config) -> Self {
        let key = shard.open(config, shard.clock().now());
        Self { shard, key }
    }
}

impl<T: Timer> Schedule for HubSchedule<T> {
    type Instant = Duration;
    type Sleep = ();
    type Witness = HubWitness<T>;

    fn witness(&self) -> HubWitness<T> {
        HubWitness { shard: Arc::clone(&self.shard), key: self.key }
    }

    fn now(&self) -> Duration {
        self.shard.clock().now()
    }

    fn report(&mut self, news: Activity, now: Duration) {
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
        news: Activity,
        now: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<Verdict> {
        let moved = news != Activity::None;
        match self.shard.ask(self.key, (news, now), now, moved, cx.waker()) {
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
        self.stop();
    }
}

impl<T: Timer> fmt::Debug for HubSchedule<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubSchedule").field("key", &self.key).finish_non_exhaustive()
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
