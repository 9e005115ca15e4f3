use core::time::Duration;

use crate::Instant;
use crate::nanos::Nanos;

/// Decides when a peer that should be sending has been silent for too long (T14). Holds no clock:
/// every call is told the time.
///
/// Any item restarts it, a heartbeat as well as a real one. As in [`Heartbeat`](crate::Heartbeat), a
/// timeout of zero never expires (T1), a `now` before the latest one seen counts as the latest one
/// seen (T7), and a deadline that cannot be represented never comes (T8).
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
#[must_use = "a machine does nothing unless it is asked"]
pub struct Watchdog<I> {
    /// The latest `now` seen (T7).
    latest: I,
    /// When the peer was last heard, or birth.
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

/// What [`Watchdog::poll_deadline`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "the machine takes an answer for last_received and does not repeat it"]
pub enum WatchdogAction<I> {
    /// All is well until that instant. Ask again then, or after the next item.
    WaitUntil(I),
    /// Nothing can happen before the next item.
    WaitForever,
    /// Nothing was received for the whole timeout. Said once per silence.
    Expired,
    /// The machine was stopped and stays so (T9).
    Stopped,
}

impl<I: Instant> Watchdog<I> {
    /// Watches a peer from `now` on; expires after `timeout` without an item. Zero never does (T1).
    pub fn new(timeout: Duration, now: I) -> Self {
        Self {
            latest: now,
            last_received: now,
            timeout: Nanos::from_timeout(timeout),
            granularity: Nanos::ZERO,
            state: WatchState::Watching,
        }
    }

    /// Watches a peer that promised something every `interval`, and expires when `heartbeats` of
    /// them in a row are missing. A product too large to represent never expires (T8).
    pub fn after_missed(heartbeats: u32, interval: Duration, now: I) -> Self {
        Self::new(interval.saturating_mul(heartbeats), now)
    }

    /// Says how early the caller's alarms may fire. Default: zero.
    ///
    /// Expiry is never early for it: the deadline that is answered lies that much later, so that an
    /// alarm that goes off early finds it due.
    pub fn with_granularity(mut self, granularity: Duration) -> Self {
        self.granularity = Nanos::new(granularity);
        self
    }

    /// Reports that an item was received, of whatever kind. It restarts the timeout, also after the
    /// watchdog has expired.
    pub fn on_receive(&mut self, now: I) {
        self.latest = self.latest.max(now); // T7
        self.last_received = self.latest;
        if self.state == WatchState::Expired {
            self.state = WatchState::Watching;
        }
    }

    /// Ends the watch, from any state. May be called again (T9).
    pub fn stop(&mut self) {
        self.state = WatchState::Stopped;
    }

    /// What is to be said at `now`. Expiry is remembered as said, until an item is received.
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

    /// Whether the watch has ended for good (T9).
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
    fn t14_expires_after_the_timeout_and_says_so_once() {
        let mut watchdog = Watchdog::new(secs(30), at(0));
        let just_before = at(30) - Duration::from_nanos(1);
        assert_eq!(watchdog.poll_deadline(just_before), WaitUntil(at(30)));
        assert_eq!(watchdog.poll_deadline(at(30)), Expired);
        assert_eq!(watchdog.poll_deadline(at(31)), WaitForever);
    }

    #[test]
    fn t14_any_item_restarts_it_also_after_it_expired() {
        let mut watchdog = Watchdog::after_missed(3, secs(10), at(0));
        watchdog.on_receive(at(29));
        assert_eq!(watchdog.poll_deadline(at(58)), WaitUntil(at(59)));
        assert_eq!(watchdog.poll_deadline(at(59)), Expired);
        watchdog.on_receive(at(70));
        assert_eq!(watchdog.poll_deadline(at(70)), WaitUntil(at(100)));
    }

    #[test]
    fn t14_an_alarm_that_is_early_does_not_let_it_expire_early() {
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
    fn t7_t14_time_that_runs_back_stands_still() {
        let mut watchdog = Watchdog::new(secs(10), at(20));
        watchdog.on_receive(at(5));
        assert_eq!(watchdog.poll_deadline(at(25)), WaitUntil(at(30)));
        watchdog.on_receive(at(0));
        assert_eq!(watchdog.poll_deadline(at(1)), WaitUntil(at(35)));
    }

    #[test]
    fn t8_t14_a_deadline_past_the_end_of_time_never_comes() {
        let mut watchdog = Watchdog::new(secs(10), Duration::MAX - secs(9));
        assert_eq!(watchdog.poll_deadline(Duration::MAX), WaitForever);
        let mut watchdog = Watchdog::after_missed(u32::MAX, Duration::MAX, at(1));
        assert_eq!(watchdog.poll_deadline(at(2)), WaitForever);
    }

    #[test]
    fn t9_t14_stop_is_for_good() {
        let mut watchdog = Watchdog::new(secs(10), at(0));
        assert!(!watchdog.is_stopped());
        watchdog.stop();
        watchdog.stop();
        watchdog.on_receive(at(1));
        assert!(watchdog.is_stopped());
        assert_eq!(watchdog.poll_deadline(at(99)), Stopped);
    }
}
