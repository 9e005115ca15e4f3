use core::cell::Cell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::rc::Rc;

use pin_project_lite::pin_project;

use crate::{Instant, Timer};

/// How often the clock may be read in one scenario.
const READS: usize = 1_000_000;

/// The timer under test, between itself and the glue: it counts what the glue asks for, and can be
/// told to go wrong.
#[derive(Debug, Clone)]
pub(super) struct Spied<T: Timer> {
    timer: T,
    epoch: T::Instant,
    calls: Rc<Calls>,
}

/// What the glue has asked its timer for.
#[derive(Debug, Default)]
pub(super) struct Calls {
    reads: Cell<usize>,
    settings: Cell<usize>,
    alarms: Cell<usize>,
    behind: Cell<Duration>,
    hasty: Cell<Duration>,
    steady: Cell<bool>,
}

impl Calls {
    /// How often the clock was read.
    pub(super) fn reads(&self) -> usize {
        self.reads.get()
    }

    /// How often an alarm was made or moved.
    pub(super) fn settings(&self) -> usize {
        self.settings.get()
    }

    /// How many alarms there are.
    pub(super) fn alarms(&self) -> usize {
        self.alarms.get()
    }

    /// Lets the clock show that much less from now on; the alarms go on as before.
    pub(super) fn set_clock_back(&self, by: Duration) {
        self.behind.set(by);
    }

    /// Lets alarms that are set from now on go off that much before their time, unless they are steady.
    pub(super) fn hurry_alarms(&self, by: Duration) {
        if !self.steady.get() {
            self.hasty.set(by);
        }
    }

    /// Lets no alarm ever go off before its time.
    pub(super) fn keep_alarms_steady(&self) {
        self.steady.set(true);
    }
}

impl<T: Timer> Spied<T> {
    pub(super) fn new(timer: T) -> Self {
        Self { epoch: timer.now(), timer, calls: Rc::default() }
    }

    pub(super) fn calls(&self) -> Rc<Calls> {
        Rc::clone(&self.calls)
    }

    /// An instant can only be added to, so what lies before it is found from the epoch on.
    fn earlier(&self, at: T::Instant, by: Duration) -> T::Instant {
        if by.is_zero() {
            return at;
        }
        let since = at.saturating_duration_since(self.epoch);
        self.epoch.checked_add(since.saturating_sub(by)).unwrap_or(at)
    }

    fn set(&self, deadline: T::Instant) -> T::Instant {
        self.calls.settings.set(self.calls.settings() + 1);
        self.earlier(deadline, self.calls.hasty.get())
    }
}

impl<T: Timer> Timer for Spied<T> {
    type Instant = T::Instant;
    type Sleep = Sleep<T::Sleep>;

    fn now(&self) -> T::Instant {
        self.calls.reads.set(self.calls.reads() + 1);
        // Once: what is dropped on the way out may read it again.
        assert!(self.calls.reads() != READS, "the glue spins: it has read the clock {READS} times");
        self.earlier(self.timer.now(), self.calls.behind.get())
    }

    fn sleep_until(&self, deadline: T::Instant) -> Self::Sleep {
        let alarm = self.timer.sleep_until(self.set(deadline));
        Sleep { alarm: Some(alarm), _counted: Counted::new(&self.calls) }
    }

    fn reset(&self, mut sleep: Pin<&mut Option<Self::Sleep>>, deadline: T::Instant) {
        match sleep.as_mut().as_pin_mut() {
            Some(sleep) => self.timer.reset(sleep.project().alarm, self.set(deadline)),
            None => sleep.set(Some(self.sleep_until(deadline))),
        }
    }

    fn granularity(&self) -> Duration {
        self.timer.granularity()
    }
}

pin_project! {
    /// An alarm of the timer under test.
    pub(super) struct Sleep<S> {
        #[pin]
        alarm: Option<S>,
        _counted: Counted,
    }
}

impl<S: Future<Output = ()>> Future for Sleep<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().alarm.as_pin_mut().map_or(Poll::Ready(()), |alarm| alarm.poll(cx))
    }
}

struct Counted(Rc<Calls>);

impl Counted {
    fn new(calls: &Rc<Calls>) -> Self {
        calls.alarms.set(calls.alarms() + 1);
        Self(Rc::clone(calls))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.alarms.set(self.0.alarms() - 1);
    }
}
