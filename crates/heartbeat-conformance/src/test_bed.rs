//! The clock of a scenario, and what it opens.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use heartbeat_async::{Instant, Timer};

use crate::TimeScale;
use crate::subject::Subject;
use crate::test_result::{Failed, TestResult, ensure};
use crate::test_sink::TestSink;

/// When something happened, as exactly as that is known. Times count from the beginning of the scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeWindow {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

impl TimeWindow {
    /// The time that has passed since `earlier`, as exactly as that is known.
    pub(crate) fn since(self, earlier: Self) -> Self {
        let from = self.from.saturating_sub(earlier.to);
        Self { from, to: self.to.saturating_sub(earlier.from) }
    }

    pub(crate) fn contains(self, time: Duration) -> bool {
        (self.from..=self.to).contains(&time)
    }
}

/// One attempt at a scenario.
#[derive(Clone)]
pub(crate) struct TestBed<S: Subject> {
    subject: S,
    time_scale: TimeScale,
    start: <S::Timer as Timer>::Instant,
    /// The length of the widest [`TimeWindow`] so far.
    uncertainty: Rc<Cell<Duration>>,
}

impl<S: Subject> TestBed<S> {
    pub(crate) fn new(subject: S, time_scale: TimeScale) -> Self {
        let start = subject.timer().now();
        Self { subject, time_scale, start, uncertainty: Rc::default() }
    }

    pub(crate) fn subject(&self) -> &S {
        &self.subject
    }

    pub(crate) fn timer(&self) -> &S::Timer {
        self.subject.timer()
    }

    pub(crate) fn ticks(&self, ticks: u32) -> Duration {
        self.time_scale.tick.saturating_mul(ticks)
    }

    /// How often a scenario repeats what it repeats.
    pub(crate) fn repetitions(&self) -> u32 {
        self.time_scale.repetitions
    }

    /// How late a sleep may be.
    pub(crate) fn late(&self) -> Duration {
        self.time_scale.late
    }

    pub(crate) fn now(&self) -> Duration {
        self.timer().now().saturating_duration_since(self.start)
    }

    /// When something happened that began at `from` and ends now.
    pub(crate) fn window(&self, from: Duration) -> TimeWindow {
        let to = self.now();
        self.uncertainty.set(self.uncertainty.get().max(to.saturating_sub(from)));
        TimeWindow { from, to }
    }

    /// Counts a failure as too late to decide if the scenario was suspended between two reads of the clock:
    /// then what looks wrong may be right.
    pub(crate) fn consider_uncertainty(&self, failed: Failed) -> Failed {
        match failed {
            Failed::Wrong(what) if self.uncertainty.get() > self.time_scale.late / 2 => {
                Failed::TooLate(what)
            }
            failed => failed,
        }
    }

    /// How early a heartbeat may be, where the interval is ten ticks.
    pub(crate) fn granularity(&self) -> Duration {
        self.subject.granularity(self.ticks(10))
    }

    pub(crate) fn instant(&self, at: Duration) -> <S::Timer as Timer>::Instant {
        self.start.checked_add(at).unwrap_or(self.start)
    }

    /// Waits until `at`, and checks that it is not much later then.
    pub(crate) async fn sleep_until(&self, at: Duration) -> TestResult {
        self.sleep(at).await;
        self.check_on_time(at)
    }

    /// A sleep that is ready at `at` or up to a granularity later, never earlier.
    pub(crate) fn sleep(&self, at: Duration) -> <S::Timer as Timer>::Sleep {
        self.timer().sleep_until(self.instant(at + self.timer().granularity()))
    }

    /// Checks that it is not much later than `at`.
    pub(crate) fn check_on_time(&self, at: Duration) -> TestResult {
        let late = self.now().saturating_sub(at);
        if late > self.time_scale.late + self.timer().granularity() {
            return Err(Failed::TooLate(format!("{late:?} late for a step due at {at:?}")));
        }
        Ok(())
    }

    /// Checks that a heartbeat at `at` came `gap` after `since`: earlier by the granularity at most (T4), later
    /// by what a sleep may be late.
    pub(crate) fn check_due(&self, at: Duration, since: Duration, gap: Duration) -> TestResult {
        let due = since + gap;
        let granularity = self.granularity().min(gap / 2);
        ensure!(at + granularity >= due, "a heartbeat at {at:?}, due at {due:?}");
        if at > due + self.time_scale.late {
            return Err(Failed::TooLate(format!("a heartbeat at {at:?}, due at {due:?}")));
        }
        Ok(())
    }

    /// Checks that it is not later than `at`.
    pub(crate) fn check_before(&self, at: Duration) -> TestResult {
        let now = self.now();
        if now > at {
            return Err(Failed::TooLate(format!("it is {now:?} already, after {at:?}")));
        }
        Ok(())
    }

    /// How often a sleep may have been set by now, for gaps of ten ticks and an event every two.
    pub(crate) fn max_resets(&self) -> usize {
        // Set for a gap after an event, it is ready that much less two ticks after the event before it.
        let gap = self.ticks(8).saturating_sub(self.granularity());
        usize::try_from(self.now().as_nanos().div_ceil(gap.as_nanos()) + 1).unwrap_or(usize::MAX)
    }

    /// A sink that records the times of its items.
    pub(crate) fn sink(&self) -> TestSink {
        let bed = self.clone();
        TestSink::new(move || bed.now())
    }
}
