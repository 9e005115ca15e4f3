//! A clock that the threads of a model share.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use heartbeat_async::Timer;
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicU64, Ordering};

/// A clock that stands still at zero until it is set. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct Clock(Arc<SharedClock>);

#[derive(Debug)]
struct SharedClock {
    /// In seconds.
    now: AtomicU64,
    /// The wakers of the tasks that wait for a sleep.
    sleepers: Mutex<Vec<Waker>>,
}

impl Clock {
    /// The clock at zero.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "loom knows it only within a model")]
    pub fn new() -> Self {
        Self(Arc::new(SharedClock { now: AtomicU64::new(0), sleepers: Mutex::new(Vec::new()) }))
    }

    /// Sets the clock, and wakes every task that waits for a sleep: each checks its own deadline.
    ///
    /// # Panics
    ///
    /// If a thread panicked with the lock.
    pub fn set(&self, secs: u64) {
        self.0.now.store(secs, Ordering::SeqCst);
        let sleepers = mem::take(&mut *self.0.sleepers.lock().unwrap());
        sleepers.into_iter().for_each(Waker::wake);
    }

    /// Whether this is the last reference: there are no timers and no sleeps.
    #[must_use]
    pub fn is_the_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Timer for Clock {
    type Instant = Duration;
    type Sleep = ClockSleep;

    fn now(&self) -> Duration {
        Duration::from_secs(self.0.now.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, deadline: Duration) -> ClockSleep {
        ClockSleep { clock: self.clone(), deadline }
    }
}

/// A sleep of a [`Clock`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ClockSleep {
    clock: Clock,
    deadline: Duration,
}

impl Future for ClockSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut sleepers = self.clock.0.sleepers.lock().unwrap();
        if self.clock.now() >= self.deadline {
            return Poll::Ready(());
        }
        if !sleepers.iter().any(|sleeper| sleeper.will_wake(cx.waker())) {
            sleepers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}
