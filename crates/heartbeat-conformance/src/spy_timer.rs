//! The timer under test, and a record of the calls to it.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use heartbeat_async::{Instant, Timer};

/// How often the clock may be read in one scenario.
const READS: usize = 1_000_000;

/// Stands between the timer under test and the glue. It counts the calls, and can be made to misbehave.
#[derive(Debug, Clone)]
pub struct SpyTimer<T: Timer> {
    timer: T,
    epoch: T::Instant,
    calls: Rc<TimerCalls>,
}

/// The calls that the glue has made to its timer.
#[derive(Debug, Default)]
pub struct TimerCalls {
    reads: Cell<usize>,
    resets: Cell<usize>,
    sleeps: Cell<usize>,
    sleep_polls: Cell<usize>,
    behind: Cell<Duration>,
    early: Cell<Duration>,
    never_early: Cell<bool>,
}

impl TimerCalls {
    /// How often the clock was read.
    pub fn reads(&self) -> usize {
        self.reads.get()
    }

    /// How often a sleep was made or moved.
    pub fn resets(&self) -> usize {
        self.resets.get()
    }

    /// The number of sleeps that exist.
    pub fn sleeps(&self) -> usize {
        self.sleeps.get()
    }

    /// How often a sleep was polled.
    pub fn sleep_polls(&self) -> usize {
        self.sleep_polls.get()
    }

    /// From now on the clock is behind by `by`. Sleeps are not affected.
    pub fn set_clock_back(&self, by: Duration) {
        self.behind.set(by);
    }

    /// Sleeps that are set from now on are ready `by` before their deadline.
    pub fn fire_early_by(&self, by: Duration) {
        if !self.never_early.get() {
            self.early.set(by);
        }
    }

    /// Makes [`fire_early_by`](Self::fire_early_by) do nothing.
    pub fn ignore_early(&self) {
        self.never_early.set(true);
    }
}

impl<T: Timer> SpyTimer<T> {
    /// Wraps a timer.
    pub fn new(timer: T) -> Self {
        Self { epoch: timer.now(), timer, calls: Rc::default() }
    }

    /// The calls to this timer and its clones.
    pub fn calls(&self) -> Rc<TimerCalls> {
        Rc::clone(&self.calls)
    }

    /// The instant `by` before `at`. An [`Instant`] has no subtraction, so this counts from the epoch.
    fn earlier(&self, at: T::Instant, by: Duration) -> T::Instant {
        if by.is_zero() {
            return at;
        }
        let since = at.saturating_duration_since(self.epoch);
        self.epoch.checked_add(since.saturating_sub(by)).unwrap_or(at)
    }

    fn set(&self, deadline: T::Instant) -> T::Instant {
        self.calls.resets.set(self.calls.resets() + 1);
        self.earlier(deadline, self.calls.early.get())
    }
}

impl<T: Timer> Timer for SpyTimer<T> {
    type Instant = T::Instant;
    type Sleep = SpySleep<T::Sleep>;

    fn now(&self) -> T::Instant {
        self.calls.reads.set(self.calls.reads() + 1);
        // `!=`, so that it panics once: destructors that run during the panic may read the clock again.
        assert!(self.calls.reads() != READS, "the glue spins: it has read the clock {READS} times");
        self.earlier(self.timer.now(), self.calls.behind.get())
    }

    fn sleep_until(&self, deadline: T::Instant) -> Self::Sleep {
        let sleep = self.timer.sleep_until(self.set(deadline));
        SpySleep { sleep: Some(sleep), guard: SleepGuard::new(&self.calls) }
    }

    fn reset(&self, mut sleep: Pin<&mut Option<Self::Sleep>>, deadline: T::Instant) {
        match sleep.as_mut().as_pin_mut() {
            Some(sleep) => self.timer.reset(sleep.project().sleep, self.set(deadline)),
            None => sleep.set(Some(self.sleep_until(deadline))),
        }
    }

    fn granularity(&self) -> Duration {
        self.timer.granularity()
    }
}

pin_project! {
    /// A sleep of the timer under test.
    pub struct SpySleep<S> {
        #[pin]
        sleep: Option<S>,
        guard: SleepGuard,
    }
}

impl<S: Future<Output = ()>> Future for SpySleep<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.guard.0.sleep_polls.set(this.guard.0.sleep_polls() + 1);
        this.sleep.as_pin_mut().map_or(Poll::Ready(()), |sleep| sleep.poll(cx))
    }
}

struct SleepGuard(Rc<TimerCalls>);

impl SleepGuard {
    fn new(calls: &Rc<TimerCalls>) -> Self {
        calls.sleeps.set(calls.sleeps() + 1);
        Self(Rc::clone(calls))
    }
}

impl Drop for SleepGuard {
    fn drop(&mut self) {
        self.0.sleeps.set(self.0.sleeps() - 1);
    }
}
