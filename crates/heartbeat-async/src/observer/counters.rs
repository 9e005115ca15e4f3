use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use super::{Observer, Outcome};

/// Counts reports, for tests and small servers. Share it between streams as `&Counters`, as `Arc<Counters>` or as a
/// `static`.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use heartbeat_async::{Counters, Observer, Outcome};
///
/// static HEARTBEATS: Counters = Counters::new();
///
/// // A stream with the observer `&HEARTBEATS` does this:
/// (&HEARTBEATS).on_heartbeat(Outcome::Sent, Duration::from_millis(2), Some(24));
/// assert_eq!(HEARTBEATS.snapshot().sent, 1);
/// assert_eq!(HEARTBEATS.snapshot().bytes, 24);
/// ```
#[derive(Debug, Default)]
pub struct Counters {
    sent: AtomicU64,
    errors: AtomicU64,
    bytes: AtomicU64,
    cancelled: AtomicU64,
    gave_up: AtomicU64,
    stalled: AtomicU64,
    detached: AtomicU64,
    opened: AtomicU64,
    closed: AtomicU64,
    max_delay_nanos: AtomicU64,
    longest_idle_nanos: AtomicU64,
}

/// The values of [`Counters`] at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CountersSnapshot {
    /// Heartbeats that were sent.
    pub sent: u64,
    /// Heartbeats that were lost.
    pub errors: u64,
    /// The size in bytes of the heartbeats that were sent, as far as it is known.
    pub bytes: u64,
    /// Heartbeats that were due and then cancelled.
    pub cancelled: u64,
    /// How often a stream gave up on its producer.
    pub gave_up: u64,
    /// How often a peer stalled.
    pub stalled: u64,
    /// Streams that their hub did not serve.
    pub detached: u64,
    /// Streams that are open.
    pub live: u64,
    /// The longest delay of a heartbeat that was sent.
    pub max_delay: Duration,
    /// The longest idle time that has ended.
    pub longest_idle: Duration,
}

impl Counters {
    /// Counters at zero.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sent: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            gave_up: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            detached: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            closed: AtomicU64::new(0),
            max_delay_nanos: AtomicU64::new(0),
            longest_idle_nanos: AtomicU64::new(0),
        }
    }

    /// The values now. While streams count, the values may be of slightly different moments.
    #[must_use]
    pub fn snapshot(&self) -> CountersSnapshot {
        let closed = self.closed.load(Relaxed); // first, so that it is not more than the opened
        CountersSnapshot {
            sent: self.sent.load(Relaxed),
            errors: self.errors.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            cancelled: self.cancelled.load(Relaxed),
            gave_up: self.gave_up.load(Relaxed),
            stalled: self.stalled.load(Relaxed),
            detached: self.detached.load(Relaxed),
            live: self.opened.load(Relaxed).saturating_sub(closed),
            max_delay: Duration::from_nanos(self.max_delay_nanos.load(Relaxed)),
            longest_idle: Duration::from_nanos(self.longest_idle_nanos.load(Relaxed)),
        }
    }
}

impl Observer for Counters {
    fn on_open(&self) {
        self.opened.fetch_add(1, Relaxed);
    }

    fn on_close(&self) {
        self.closed.fetch_add(1, Relaxed);
    }

    fn on_heartbeat(&self, outcome: Outcome, late: Duration, encoded_len: Option<usize>) {
        match outcome {
            Outcome::Sent => {
                self.sent.fetch_add(1, Relaxed);
                self.bytes.fetch_add(encoded_len.unwrap_or(0) as u64, Relaxed);
                self.max_delay_nanos.fetch_max(nanos(late), Relaxed);
            }
            Outcome::Error => {
                self.errors.fetch_add(1, Relaxed);
            }
        }
    }

    fn on_cancelled(&self) {
        self.cancelled.fetch_add(1, Relaxed);
    }

    fn on_give_up(&self) {
        self.gave_up.fetch_add(1, Relaxed);
    }

    fn on_stall(&self) {
        self.stalled.fetch_add(1, Relaxed);
    }

    fn on_detached(&self) {
        self.detached.fetch_add(1, Relaxed);
    }

    fn on_idle(&self, lasted: Duration) {
        self.longest_idle_nanos.fetch_max(nanos(lasted), Relaxed);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
