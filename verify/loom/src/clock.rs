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

/// A clock that stands still at zero until it is moved. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct Clock(Arc<World>);

#[derive(Debug)]
struct World {
    /// In seconds.
    now: AtomicU64,
    /// Who is woken once the clock was moved.
    alarms: Mutex<Vec<Waker>>,
}

impl Clock {
    /// The clock at zero.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "loom knows it only within a model")]
    pub fn new() -> Self {
        Self(Arc::new(World { now: AtomicU64::new(0), alarms: Mutex::new(Vec::new()) }))
    }

    /// Moves the clock, and wakes every task that waits for a sleep: each checks its own deadline.
    ///
    /// # Panics
    ///
    /// If an alarm panicked.
    pub fn set(&self, secs: u64) {
        self.0.now.store(secs, Ordering::SeqCst);
        let alarms = mem::take(&mut *self.0.alarms.lock().unwrap());
        alarms.into_iter().for_each(Waker::wake);
    }

    /// Whether this is the last reference: there are no timers and no sleeps.
    #[must_use]
    pub fn is_the_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Timer for Clock {
    type Instant = Duration;
    type Sleep = Alarm;

    fn now(&self) -> Duration {
        Duration::from_secs(self.0.now.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, deadline: Duration) -> Alarm {
        Alarm { clock: self.clone(), deadline }
    }
}

/// An alarm of a [`Clock`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Alarm {
    clock: Clock,
    deadline: Duration,
}

impl Future for Alarm {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut alarms = self.clock.0.alarms.lock().unwrap();
        if self.clock.now() >= self.deadline {
            return Poll::Ready(());
        }
        if !alarms.iter().any(|alarm| alarm.will_wake(cx.waker())) {
            alarms.push(cx.waker().clone());
        }
        Poll::Pending
    }
}
