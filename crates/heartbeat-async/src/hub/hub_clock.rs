use core::task::Waker;
use core::time::Duration;

use heartbeat_core::Instant;

use crate::Timer;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use crate::sync::{Mutex, lock};

/// By how many nanoseconds the clock may run back without a correction.
const MIN_STEP: u64 = 1_000_000;

/// No wake-up is scheduled.
const NEVER: u64 = u64::MAX;

/// The clock of a hub, and the next wake-up of its task. Its instants are the time since the hub was made.
pub(super) struct HubClock<T: Timer> {
    pub(super) timer: T,
    epoch: T::Instant,
    /// The clock shows no earlier instant (T7). In nanoseconds, as `next_wake`.
    monotonic_floor: AtomicU64,
    /// When the task scans its shards. During a scan: the earliest wake-up that was scheduled meanwhile.
    next_wake: AtomicU64,
    /// The task is scanning, and reads `next_wake` at the end. It needs no wake-up.
    scanning: AtomicBool,
    has_ended: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl<T: Timer> HubClock<T> {
    pub(super) fn new(timer: T) -> Self {
        Self {
            epoch: timer.now(),
            timer,
            monotonic_floor: AtomicU64::new(0),
            next_wake: AtomicU64::new(NEVER),
            scanning: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
            task: Mutex::new(None),
        }
    }

    pub(super) fn now(&self) -> Duration {
        let now = nanos(self.timer.now().saturating_duration_since(self.epoch));
        let floor = self.monotonic_floor.load(SeqCst);
        if now.saturating_sub(floor) >= MIN_STEP {
            self.monotonic_floor.fetch_max(now, SeqCst);
        }
        Duration::from_nanos(now.max(floor))
    }

    /// The instant of the timer for a sleep until `at`. Later by the granularity, so that the sleep does not end
    /// before `at`. `None` if the timer cannot represent it (T8).
    pub(super) fn sleep_deadline(&self, at: Duration) -> Option<T::Instant> {
        self.epoch.checked_add(at.checked_add(self.timer.granularity())?)
    }

    /// Whether the task wakes up by `at` anyway.
    pub(super) fn wakes_by(&self, at: Duration) -> bool {
        self.next_wake.load(SeqCst) <= nanos(at)
    }

    /// Makes the task wake up by `at`.
    pub(super) fn schedule_wake(&self, at: Duration) {
        let before = self.next_wake.fetch_min(nanos(at), SeqCst);
        if nanos(at) < before && !self.scanning.load(SeqCst) {
            self.wake_task();
        }
    }

    /// The task begins to scan its shards. It will see every deadline that was scheduled before.
    pub(super) fn begin_scan(&self) {
        self.scanning.store(true, SeqCst);
        // A swap, since loom lets a store come between the read and the write of a `fetch_min`.
        self.next_wake.swap(NEVER, SeqCst);
    }

    /// The task has scanned its shards, and found `next` as the next deadline. Returns when to wake up: a stream may
    /// have scheduled an earlier wake-up meanwhile. From here on the task is woken for those.
    pub(super) fn end_scan(&self, next: Option<Duration>) -> Option<Duration> {
        self.next_wake.fetch_min(next.map_or(NEVER, nanos), SeqCst);
        self.scanning.store(false, SeqCst);
        let next_wake = self.next_wake.load(SeqCst);
        (next_wake != NEVER).then(|| Duration::from_nanos(next_wake))
    }

    pub(super) fn is_running(&self) -> bool {
        !self.has_ended.load(SeqCst)
    }

    /// The task was dropped.
    pub(super) fn end(&self) {
        self.has_ended.store(true, SeqCst);
    }

    /// Sets the waker of the task.
    pub(super) fn register(&self, waker: &Waker) {
        let mut task = lock(&self.task);
        let known = task.as_ref().is_some_and(|known| known.will_wake(waker));
        let old = if known { None } else { task.replace(waker.clone()) };
        drop(task);
        drop(old); // without the lock: a waker may run any code when it is dropped
    }

    pub(super) fn wake_task(&self) {
        let task = lock(&self.task).clone();
        if let Some(waker) = task {
            waker.wake();
        }
    }
}

/// In nanoseconds. Instants after 584 years count as never.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER)
}
