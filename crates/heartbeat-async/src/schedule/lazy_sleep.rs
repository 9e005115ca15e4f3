use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::Timer;

pin_project! {
    /// A sleep that is set no more often than necessary (T16): while it is set, its owner moves the deadline only to
    /// later instants, and polls the state machine again when the sleep ends.
    pub struct LazySleep<T: Timer> {
        #[pin]
        sleep: Option<T::Sleep>,
        // It is set, and was not ready yet.
        is_set: bool,
    }
}

impl<T: Timer> Default for LazySleep<T> {
    fn default() -> Self {
        Self { sleep: None, is_set: false }
    }
}

impl<T: Timer> LazySleep<T> {
    /// Drops the sleep of the runtime.
    pub(crate) fn clear(mut self: Pin<&mut Self>) {
        self.set(Self::default());
    }

    /// Forgets that the sleep is set, so that the next poll sets it again.
    pub(crate) fn forget(self: Pin<&mut Self>) {
        *self.project().is_set = false;
    }

    /// Whether the sleep is set and will wake the task.
    ///
    /// Only the sleep knows: the clock may have run back since the sleep ended (T7).
    pub(crate) fn will_wake(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        let this = self.project();
        let sleep = this.sleep.as_pin_mut().filter(|_| *this.is_set);
        *this.is_set = sleep.is_some_and(|sleep| sleep.poll(cx).is_pending());
        *this.is_set
    }

    /// Waits until the sleep ends. It is set for `deadline` if it is not set.
    ///
    /// `was_reset` is false at the beginning of the owner's poll. A sleep that ends at once is a fault of the timer;
    /// it is set once per poll, so that the task does not spin.
    pub(crate) fn poll(
        mut self: Pin<&mut Self>,
        timer: &T,
        deadline: T::Instant,
        was_reset: &mut bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let this = self.as_mut().project();
        if !*this.is_set {
            if *was_reset {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            timer.reset(this.sleep, deadline);
            (*this.is_set, *was_reset) = (true, true);
        }
        if self.will_wake(cx) { Poll::Pending } else { Poll::Ready(()) }
    }
}
