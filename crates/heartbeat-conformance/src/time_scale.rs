//! How long the scenarios take, and how exact they are.

use std::time::Duration;

/// How long the scenarios take, and how late a sleep may be.
#[derive(Debug, Clone, Copy)]
pub struct TimeScale {
    /// A tenth of most intervals.
    pub(crate) tick: Duration,
    /// How late a sleep may be.
    pub(crate) late: Duration,
    /// How often a scenario repeats what it repeats.
    pub(crate) repetitions: u32,
    /// How often a scenario runs before it counts as failed because something came too late.
    pub(crate) attempts: u32,
}

impl TimeScale {
    /// For a runtime whose time passes by itself: a tick of 10 ms, sleeps that are up to 10 ms late, and 3
    /// repetitions.
    ///
    /// A scenario that is later than that, or was suspended for too long to decide, runs again at half the speed, because
    /// the machine may have been busy. There are eight attempts; in the last one a sleep may be 1.28 s late.
    #[must_use]
    pub const fn real() -> Self {
        let tick = Duration::from_millis(10);
        Self { tick, late: tick, repetitions: 3, attempts: 8 }
    }

    /// For a runtime whose time passes only when all tasks wait: a tick of one second, sleeps that are up to `late`
    /// late (the resolution of the clock), 100 repetitions and one attempt.
    #[must_use]
    pub const fn exact(late: Duration) -> Self {
        Self { tick: Duration::from_secs(1), late, repetitions: 100, attempts: 1 }
    }

    /// Sets the tick, which must be longer than sleeps may be late. For timers that are coarser than
    /// [`real`](Self::real) allows.
    #[must_use]
    pub const fn with_tick(self, tick: Duration) -> Self {
        Self { tick, ..self }
    }

    /// Sets how late a sleep may be.
    #[must_use]
    pub const fn with_late(self, late: Duration) -> Self {
        Self { late, ..self }
    }

    pub(crate) fn slower(self) -> Self {
        Self { tick: self.tick.saturating_mul(2), late: self.late.saturating_mul(2), ..self }
    }

    /// Makes a tick at least as long as the timer's granularity, so that what happens a granularity earlier still happens
    /// between the same two steps of a scenario.
    pub(crate) fn coarser_than(self, granularity: Duration) -> Self {
        Self { tick: self.tick.max(granularity), ..self }
    }
}
