use crate::sync::{Arc, Weak};
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

pin_project! {
    /// Wakes the streams of a [`Hub`](crate::Hub) whose heartbeats are due; made by
    /// [`Hub::new`](crate::Hub::new). Spawn it.
    ///
    /// It ends when the hub and all its streams are gone.
    ///
    /// # Cancellation
    ///
    /// Dropping it before that ends the heartbeats of all streams, and tells them so:
    /// [`HubError::Stopped`](crate::HubError::Stopped).
    #[must_use = "nothing beats on the hub unless its task is spawned"]
    pub struct HubTask<T: Timer> {
        #[pin]
        sleep: Option<T::Sleep>,
        // When that goes off.
        set_for: Option<Duration>,
        due: Vec<Waker>,
        hub: Watched<T>,
    }
}

/// What the task sees of its hub.
struct Watched<T: Timer> {
    clock: Arc<HubClock<T>>,
    shards: Box<[Weak<Shard<T>>]>,
}

impl<T: Timer> HubTask<T> {
    pub(super) fn new(clock: Arc<HubClock<T>>, shards: Box<[Weak<Shard<T>>]>) -> Self {
        let hub = Watched { clock, shards };
        Self { sleep: None, set_for: None, due: Vec::new(), hub }
    }
}

impl<T: Timer> Future for HubTask<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let clock = &this.hub.clock;
        clock.register(cx.waker());
        let mut was_set = false;
        loop {
            if this.hub.is_gone() {
                return Poll::Ready(());
            }
            let next = this.hub.look(this.due).and_then(|next| Some((next, clock.alarm(next)?)));
            let Some((next, alarm)) = next else {
                this.sleep.set(None);
                *this.set_for = None;
                return Poll::Pending;
            };
            if *this.set_for != Some(next) {
                if was_set {
                    // It went off the moment that it was set: a broken timer, which must not spin here.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                clock.timer().reset(this.sleep.as_mut(), alarm);
                (was_set, *this.set_for) = (true, Some(next));
            }
            if this.sleep.as_mut().as_pin_mut().is_some_and(|sleep| sleep.poll(cx).is_pending()) {
                return Poll::Pending;
            }
            *this.set_for = None;
        }
    }
}

impl<T: Timer> Watched<T> {
    /// Wakes all whose time has come, and answers when to look again, if at all.
    fn look(&self, due: &mut Vec<Waker>) -> Option<Duration> {
        self.clock.begin_to_look();
        let next = self.shards().filter_map(|shard| shard.wake_due(due)).min();
        self.clock.end_of_look(next)
    }

    fn is_gone(&self) -> bool {
        self.shards.iter().all(|shard| shard.strong_count() == 0)
    }

    fn shards(&self) -> impl Iterator<Item = Arc<Shard<T>>> {
        self.shards.iter().filter_map(Weak::upgrade)
    }
}

impl<T: Timer> Drop for Watched<T> {
    fn drop(&mut self) {
        self.clock.end();
        self.shards().for_each(|shard| shard.wake_all());
    }
}

impl<T: Timer> fmt::Debug for HubTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubTask").field("set_for", &self.set_for).finish_non_exhaustive()
    }
}
