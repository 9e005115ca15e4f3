use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use heartbeat_core::Instant;
use pin_project_lite::pin_project;

use crate::Timer;

pin_project! {
    /// The alarm of a stream. It is set for a deadline, at which its owner asks the machine whether
    /// that still holds (T16).
    pub struct LazySleep<T: Timer> {
        #[pin]
        sleep: Option<T::Sleep>,
        armed: Option<Armed<T::Instant>>,
    }
}

/// What is known of an alarm that is set.
struct Armed<I> {
    /// Before that instant it does not go off, and nothing is due.
    quiet_until: I,
    /// Who will be woken.
    waker: Waker,
}

impl<T: Timer> Default for LazySleep<T> {
    fn default() -> Self {
        Self { sleep: None, armed: None }
    }
}

impl<T: Timer> LazySleep<T> {
    /// Drops it, and whatever it holds of the timer.
    pub(crate) fn clear(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.sleep.set(None);
        *this.armed = None;
    }

    /// Forgets for when it was set: the next deadline has nothing to do with that.
    pub(crate) fn disarm(self: Pin<&mut Self>) {
        *self.project().armed = None;
    }

    /// Whether it is still to go off, and will then wake the one who asks.
    pub(crate) fn holds(&self, now: T::Instant, waker: &Waker) -> bool {
        self.armed
            .as_ref()
            .is_some_and(|armed| now < armed.quiet_until && armed.waker.will_wake(waker))
    }

    /// Waits until it goes off. If it is not set, it is set for `deadline`; one that is set goes off
    /// soon enough, since deadlines only ever move later meanwhile (T16).
    ///
    /// `rearmed` is false at the beginning of its owner's poll. An alarm that goes off the moment it
    /// was set is a fault of the timer, and must not spin: it is set once per poll.
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        timer: &T,
        deadline: T::Instant,
        now: T::Instant,
        rearmed: &mut bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut this = self.project();
        if this.armed.is_none() {
            if *rearmed {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            timer.reset(this.sleep.as_mut(), deadline);
            *rearmed = true;
        }
        let gone_off = this.sleep.as_mut().as_pin_mut().map(|sleep| sleep.poll(cx));
        if gone_off != Some(Poll::Pending) {
            *this.armed = None;
            return Poll::Ready(());
        }
        match this.armed {
            Some(armed) => armed.waker.clone_from(cx.waker()),
            armed => {
                let waker = cx.waker().clone();
                *armed = Some(Armed::new(now, deadline, timer.granularity(), waker));
            }
        }
        Poll::Pending
    }
}

impl<I: Instant> Armed<I> {
    /// The alarm was set at `now` for `deadline`.
    fn new(now: I, deadline: I, granularity: Duration, waker: Waker) -> Self {
        let quiet = deadline.saturating_duration_since(now).saturating_sub(granularity);
        Self { quiet_until: now.checked_add(quiet).unwrap_or(now), waker }
    }
}
