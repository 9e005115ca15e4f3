use core::time::Duration;

use crate::Instant;
use crate::nanos::Nanos;

/// Decides when a peer that should be sending has been silent for too long
/// ([T14](crate::rules#t14-watchdog)). It has no clock: the caller passes the time to every call.
///
/// Every item restarts the timeout, heartbeats included. As with [`Heartbeat`](crate::Heartbeat), a
/// timeout of zero never expires ([T1](crate::rules#t1-disabled)), a `now` earlier than the latest one
/// seen counts as the latest one ([T7](crate::rules#t7-monotonic)), and a deadline that cannot be
/// represented is never reached ([T8](crate::rules#t8-no-overflow)).
///
/// # Example
///
/// ```
/// use core::time::Duration;
/// use heartbeat_core::{Watchdog, WatchdogAction};
///
/// let at = Duration::from_secs;
/// let mut watchdog = Watchdog::after_missed(3, Duration::from_secs(15), at(0));
/// assert_eq!(watchdog.poll_deadline(at(40)), WatchdogAction::WaitUntil(at(45)));
///
/// watchdog.on_receive(at(41));
/// assert_eq!(watchdog.poll_deadline(at(45)), WatchdogAction::WaitUntil(at(86)));
/// assert_eq!(watchdog.poll_deadline(at(86)), WatchdogAction::Expired);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a watchdog does nothing unless it is polled"]
pub struct Watchdog<I> {
    /// The latest `now` seen (T7).
    latest: I,
    /// When an item was last received, or when the watchdog was created.
    last_received: I,
    timeout: Nanos,
    granularity: Nanos,
    state: WatchState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WatchState {
    Watching,
    Expired,
    Stopped,
}

/// The decision of [`Watchdog::poll_deadline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "expiry is returned once: the next poll assumes that it was handled"]
pub enum WatchdogAction<I> {
    /// Nothing to do before this instant. Poll again then, or after the next item.
    WaitUntil(I),
    /// Nothing to do before the next item.
    WaitForever,
    /// Nothing was received for the timeout. Returned once per silence.
    Expired,
    /// The watchdog was stopped ([T9](crate::rules#t9-stop)).
    Stopped,
}

impl<I: Instant> Watchdog<I> {
    /// Starts at `now`, and expires after `timeout` without an item. A timeout of zero never expires
    /// ([T1](crate::rules#t1-disabled)).
    pub fn new(timeout: Duration, now: I) -> Self {
        Self {
            latest: now,
            last_received: now,
            timeout: Nanos::from_timeout(timeout),
            granularity: Nanos::ZERO,
            state: WatchState::Watching,
        }
    }

    /// Expires after `heartbeats` missed heartbeats in a row, from a peer that sends one every `interval`.
    ///
    /// The timeout is `heartbeats * interval`. A product too large to represent never expires
    /// ([T8](crate::rules#t8-no-overflow)).
    pub fn after_missed(heartbeats: u32, interval: Duration, now: I) -> Self {
        Self::new(interval.saturating_mul(heartbeats), now)
    }

    /// Sets how early the timer of the caller may fire. Default: zero.
    ///
    /// Expiry is not early because of it: the returned deadline is later by the granularity, so that a
    /// timer that fires early still fires late enough.
    pub fn with_granularity(mut self, granularity: Duration) -> Self {
        self.granularity = Nanos::new(granularity);
        self
    }

    /// Reports that an item of any kind was received. It restarts the timeout, also after expiry.
    pub fn on_receive(&mut self, now: I) {
        self.latest = self.latest.max(now); // T7
        self.last_received = self.latest;
        if self.state == WatchState::Expired {
            self.state = WatchState::Watching;
        }
    }

    /// Stops the watchdog. May be called in any state, and more than once ([T9](crate::rules#t9-stop)).
    pub fn stop(&mut self) {
        self.state = WatchState::Stopped;
    }

    /// Decides what to do at `now`. After expiry it returns [`WatchdogAction::WaitForever`] until an
    /// item is received. [`on_receive`](Self::on_receive) and [`stop`](Self::stop) can change the
    /// result.
    pub fn poll_deadline(&mut self, now: I) -> WatchdogAction<I> {
        self.latest = self.latest.max(now); // T7
        match self.state {
            WatchState::Stopped => return WatchdogAction::Stopped,
            WatchState::Expired => return WatchdogAction::WaitForever,
            WatchState::Watching => {}
        }
        match self.timeout.after(self.last_received) {
            Some(deadline) if deadline <= self.latest => {
                self.state = WatchState::Expired;
                WatchdogAction::Expired
            }
            Some(deadline) => {
                let wake_at = self.granularity.after(deadline).unwrap_or(deadline);
                WatchdogAction::WaitUntil(wake_at)
            }
            None => WatchdogAction::WaitForever,
        }
    }

    /// Whether the watchdog was stopped ([T9](crate::rules#t9-stop)).
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state == WatchState::Stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use WatchdogAction::{Expired, Stopped, WaitForever, WaitUntil};

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    const fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn t14_expires_after_the_timeout_once() {
        let mut watchdog = Watchdog::new(secs(30), at(0));
        let just_before = at(30) - Duration::from_nanos(1);
        assert_eq!(watchdog.poll_deadline(just_before), WaitUntil(at(30)));
        assert_eq!(watchdog.poll_deadline(at(30)), Expired);
        assert_eq!(watchdog.poll_deadline(at(31)), WaitForever);
    }

    #[test]
    fn t14_an_item_restarts_it_also_after_expiry() {
        let mut watchdog = Watchdog::after_missed(3, secs(10), at(0));
        watchdog.on_receive(at(29));
        assert_eq!(watchdog.poll_deadline(at(58)), WaitUntil(at(59)));
        assert_eq!(watchdog.poll_deadline(at(59)), Expired);
        watchdog.on_receive(at(70));
        assert_eq!(watchdog.poll_deadline(at(70)), WaitUntil(at(100)));
    }

    #[test]
    fn t14_a_timer_that_fires_early_does_not_make_it_expire_early() {
        let mut watchdog = Watchdog::new(secs(30), at(0)).with_granularity(secs(2));
        assert_eq!(watchdog.poll_deadline(at(29)), WaitUntil(at(32)));
        assert_eq!(watchdog.poll_deadline(at(30)), Expired);
        let mut watchdog =
            Watchdog::new(secs(10), Duration::MAX - secs(10)).with_granularity(secs(2));
        assert_eq!(watchdog.poll_deadline(at(0)), WaitUntil(Duration::MAX));
    }

    #[test]
    fn t1_t14_a_timeout_of_zero_never_expires() {
        let mut watchdogs =
            [Watchdog::new(Duration::ZERO, at(0)), Watchdog::after_missed(0, secs(1), at(0))];
        for watchdog in &mut watchdogs {
            assert_eq!(watchdog.poll_deadline(Duration::MAX), WaitForever);
        }
    }

    #[test]
    fn t7_t14_a_clock_that_steps_back_counts_as_stopped() {
        let mut watchdog = Watchdog::new(secs(10), at(20));
        watchdog.on_receive(at(5));
        assert_eq!(watchdog.poll_deadline(at(25)), WaitUntil(at(30)));
        watchdog.on_receive(at(0));
        assert_eq!(watchdog.poll_deadline(at(1)), WaitUntil(at(35)));
    }

    #[test]
    fn t8_t14_a_deadline_that_cannot_be_represented_is_never_reached() {
        let mut watchdog = Watchdog::new(secs(10), Duration::MAX - secs(9));
        assert_eq!(watchdog.poll_deadline(Duration::MAX), WaitForever);
        let mut watchdog = Watchdog::after_missed(u32::MAX, Duration::MAX, at(1));
        assert_eq!(watchdog.poll_deadline(at(2)), WaitForever);
    }

    #[test]
    fn t9_t14_stop_is_final() {
        let mut watchdog = Watchdog::new(secs(10), at(0));
        assert!(!watchdog.is_stopped());
        watchdog.stop();
        watchdog.stop();
        watchdog.on_receive(at(1));
        assert!(watchdog.is_stopped());
        assert_eq!(watchdog.poll_deadline(at(99)), Stopped);
    }
}
