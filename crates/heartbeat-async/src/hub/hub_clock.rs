use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use core::task::Waker;
use core::time::Duration;
use std::sync::PoisonError;

use crate::sync::{Mutex, MutexGuard};

use heartbeat_core::Instant;

use crate::Timer;

/// By how much the clock may run back unseen.
const STEP: u64 = 1_000_000;

/// Stands for no alarm.
const NEVER: u64 = u64::MAX;

/// The hub's clock, and for when its one alarm is set. Its instants are the time since the hub was made.
pub(super) struct HubClock<T: Timer> {
    timer: T,
    epoch: T::Instant,
    /// In nanoseconds, as all that is shared: the clock shows nothing earlier (T7).
    floor: AtomicU64,
    /// When the task will look. While it looks, the earliest that it was told to look again.
    set_for: AtomicU64,
    /// The task looks, and sees to what it is told by `set_for` alone.
    is_looking: AtomicBool,
    has_ended: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl<T: Timer> HubClock<T> {
    pub(super) fn new(timer: T) -> Self {
        Self {
            epoch: timer.now(),
            timer,
            floor: AtomicU64::new(0),
            set_for: AtomicU64::new(NEVER),
            is_looking: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
            task: Mutex::new(None),
        }
    }

    pub(super) fn timer(&self) -> &T {
        &self.timer
    }

    pub(super) fn now(&self) -> Duration {
        let now = nanos(self.timer.now().saturating_duration_since(self.epoch));
        let floor = self.floor.load(SeqCst);
        if now.saturating_sub(floor) >= STEP {
            self.floor.fetch_max(now, SeqCst);
        }
        Duration::from_nanos(now.max(floor))
    }

    /// When to set the alarm to, for something at `at`: so that it does not go off before that. `None`
    /// if it never comes (T8).
    pub(super) fn alarm(&self, at: Duration) -> Option<T::Instant> {
        self.epoch.checked_add(at.checked_add(self.timer.granularity())?)
    }

    /// Whether the alarm goes off by `at` anyway.
    pub(super) fn is_set_by(&self, at: Duration) -> bool {
        self.set_for.load(SeqCst) <= nanos(at)
    }

    /// Has the task look by `at`.
    pub(super) fn look_by(&self, at: Duration) {
        let before = self.set_for.fetch_min(nanos(at), SeqCst);
        if nanos(at) < before && !self.is_looking.load(SeqCst) {
            self.wake_task();
        }
    }

    /// The task looks now. What it has told before it does not have to be told again: it will see.
    pub(super) fn begin_to_look(&self) {
        self.is_looking.store(true, SeqCst);
        // A swap, since loom lets a store come between the read and the write of a `fetch_min`.
        self.set_for.swap(NEVER, SeqCst);
    }

    /// The task has looked, and found that it has to look again by `next`. Answers when it has to, since
    /// somebody may have told it meanwhile. From here on it is woken for what it is told.
    pub(super) fn end_of_look(&self, next: Option<Duration>) -> Option<Duration> {
        self.set_for.fetch_min(next.map_or(NEVER, nanos), SeqCst);
        self.is_looking.store(false, SeqCst);
        let set_for = self.set_for.load(SeqCst);
        (set_for != NEVER).then(|| Duration::from_nanos(set_for))
    }

    pub(super) fn is_running(&self) -> bool {
        !self.has_ended.load(SeqCst)
    }

    /// The task is gone.
    pub(super) fn end(&self) {
        self.has_ended.store(true, SeqCst);
    }

    /// Has the task be woken by that waker.
    pub(super) fn register(&self, waker: &Waker) {
        let mut task = self.task();
        let known = task.as_ref().is_some_and(|known| known.will_wake(waker));
        let old = if known { None } else { task.replace(waker.clone()) };
        drop(task);
        drop(old); // which may do anything
    }

    pub(super) fn wake_task(&self) {
        let task = self.task().clone();
        if let Some(waker) = task {
            waker.wake();
        }
    }

    fn task(&self) -> MutexGuard<'_, Option<Waker>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In as many nanoseconds as can be told: 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER - 1)
}
