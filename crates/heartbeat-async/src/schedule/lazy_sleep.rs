use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use heartbeat_core::Instant;
use pin_project_lite::pin_project;

use crate::Timer;

pin_project! {
    /// A sleep that is set no more often than necessary (T16): while it is set, its owner moves the deadline only to
    /// later instants, and polls the state machine again when the sleep ends.
    pub struct LazySleep<T: Timer> {
        #[pin]
        sleep: Option<T::Sleep>,
        armed: Option<Armed<T::Instant>>,
    }
}

/// A sleep that is set.
struct Armed<I> {
    /// The sleep does not end before this instant.
    not_before: I,
    /// The waker that the sleep calls.
    waker: Waker,
}

impl<T: Timer> Default for LazySleep<T> {
    fn default() -> Self {
        Self { sleep: None, armed: None }
    }
}

impl<T: Timer> LazySleep<T> {
    /// Drops the sleep of the runtime.
    pub(crate) fn clear(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.sleep.set(None);
        *this.armed = None;
    }

    /// Forgets that the sleep is set, so that the next poll sets it again.
    pub(crate) fn forget(self: Pin<&mut Self>) {
        *self.project().armed = None;
    }

    /// Whether the sleep ends after `now`, and wakes `waker` then.
    pub(crate) fn still_covers(&self, now: T::Instant, waker: &Waker) -> bool {
        self.armed
            .as_ref()
            .is_some_and(|armed| now < armed.not_before && armed.waker.will_wake(waker))
    }

    /// Waits until the sleep ends. It is set for `deadline` if it is not set.
    ///
    /// `was_reset` is false at the beginning of the owner's poll. A sleep that ends at once is a fault of the timer;
    /// it is set once per poll, so that the task does not spin.
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        timer: &T,
        deadline: T::Instant,
        now: T::Instant,
        was_reset: &mut bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut this = self.project();
        if this.armed.is_none() {
            if *was_reset {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            timer.reset(this.sleep.as_mut(), deadline);
            *was_reset = true;
        }
        let polled = this.sleep.as_mut().as_pin_mut().map(|sleep| sleep.poll(cx));
        if polled != Some(Poll::Pending) {
            *this.armed = None;
            return Poll::Ready(());
        }
        match this.armed {
            Some(armed) => armed.waker.clone_from(cx.waker()),
            armed => {
                let wait = deadline.saturating_duration_since(now);
                let wait = wait.saturating_sub(timer.granularity());
                let not_before = now.checked_add(wait).unwrap_or(now);
                *armed = Some(Armed { not_before, waker: cx.waker().clone() });
            }
        }
        Poll::Pending
    }
}
