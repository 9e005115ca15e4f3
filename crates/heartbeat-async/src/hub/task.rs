use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::hub_clock::HubClock;
use super::shard::Shard;
use crate::Timer;
use crate::sync::{Arc, Weak};

pin_project! {
    /// Wakes the streams of a [`Hub`](crate::Hub) when their heartbeats are due; made by
    /// [`Hub::new`](crate::Hub::new). Spawn it.
    ///
    /// It ends when the hub and all its streams are dropped.
    ///
    /// # Cancellation
    ///
    /// Dropping it before that ends the heartbeats of all streams. They report
    /// [`HubError::Stopped`](crate::HubError::Stopped).
    #[must_use = "a hub sends no heartbeats unless its task is spawned"]
    pub struct HubTask<T: Timer> {
        #[pin]
        sleep: Option<T::Sleep>,
        // When the sleep ends.
        next_wake: Option<Duration>,
        due: Vec<Waker>,
        hub: HubRef<T>,
    }
}

/// The hub, as its task sees it.
struct HubRef<T: Timer> {
    clock: Arc<HubClock<T>>,
    shards: Box<[Weak<Shard<T>>]>,
}

impl<T: Timer> HubTask<T> {
    pub(super) fn new(clock: Arc<HubClock<T>>, shards: Box<[Weak<Shard<T>>]>) -> Self {
        let hub = HubRef { clock, shards };
        Self { sleep: None, next_wake: None, due: Vec::new(), hub }
    }
}

impl<T: Timer> Future for HubTask<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let clock = &this.hub.clock;
        clock.register(cx.waker());
        let mut was_reset = false;
        loop {
            if this.hub.shards.iter().all(|shard| shard.strong_count() == 0) {
                return Poll::Ready(());
            }
            let next = this.hub.scan(this.due);
            let next = next.and_then(|next| Some((next, clock.sleep_deadline(next)?)));
            let Some((next, deadline)) = next else {
                this.sleep.set(None);
                *this.next_wake = None;
                return Poll::Pending;
            };
            if *this.next_wake != Some(next) {
                if was_reset {
                    // A sleep that ends at once is a fault of the timer, and must not spin here.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                clock.timer.reset(this.sleep.as_mut(), deadline);
                (was_reset, *this.next_wake) = (true, Some(next));
            }
            if this.sleep.as_mut().as_pin_mut().is_some_and(|sleep| sleep.poll(cx).is_pending()) {
                return Poll::Pending;
            }
            *this.next_wake = None;
        }
    }
}

impl<T: Timer> HubRef<T> {
    /// Wakes all streams that are due. Returns when to scan again, if there is a deadline.
    fn scan(&self, due: &mut Vec<Waker>) -> Option<Duration> {
        self.clock.begin_scan();
        let next = self.shards().filter_map(|shard| shard.wake_due(due)).min();
        self.clock.end_scan(next)
    }

    fn shards(&self) -> impl Iterator<Item = Arc<Shard<T>>> {
        self.shards.iter().filter_map(Weak::upgrade)
    }
}

impl<T: Timer> Drop for HubRef<T> {
    fn drop(&mut self) {
        self.clock.end();
        self.shards().for_each(|shard| shard.wake_all());
    }
}

impl<T: Timer> fmt::Debug for HubTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubTask").field("next_wake", &self.next_wake).finish_non_exhaustive()
    }
}
