//! A virtual clock for tests. It advances when the test says so, or when all tasks wait.
//!
//! Needs the feature `virtual-time`, and std. A test of hours takes microseconds, and its result is always the same.
//!
//! # Example
//!
//! ```
//! use std::pin::pin;
//! use std::time::Duration;
//!
//! use futures_util::{StreamExt, stream};
//! use heartbeat_async::virtual_time::VirtualTime;
//! use heartbeat_async::{HeartbeatStreamExt, Timer};
//!
//! let time = VirtualTime::new();
//! let quiet = stream::pending().heartbeat(time.clone(), Duration::from_secs(3600), || "heartbeat");
//! let mut quiet = pin!(quiet);
//!
//! time.block_on(async {
//!     for hour in 1..=24 {
//!         assert_eq!(quiet.next().await, Some("heartbeat"));
//!         assert_eq!(time.now(), Duration::from_secs(3600 * hour));
//!     }
//! });
//! ```

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use crate::Timer;

/// How often a future may be polled while the clock stands still.
const POLLS: u32 = 1_000_000;

/// A clock that stands still until it is advanced, and its sleeps. Clones show the same time, which begins at zero.
///
/// [`block_on`](Self::block_on) advances the clock by itself. With an executor of your own, call
/// [`advance`](Self::advance).
#[derive(Debug, Clone, Default)]
pub struct VirtualTime {
    state: Arc<Mutex<ClockState>>,
    granularity: Duration,
}

#[derive(Debug, Default)]
struct ClockState {
    now: Duration,
    keys: u64,
    /// The wakers of the sleeps, by deadline.
    sleepers: BTreeMap<(Duration, u64), Waker>,
}

impl VirtualTime {
    /// A clock at zero, whose sleeps are exact to the nanosecond.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes sleeps end earlier by `granularity`, like those of a timer that many streams share.
    #[must_use]
    pub fn with_granularity(self, granularity: Duration) -> Self {
        Self { granularity, ..self }
    }

    /// Advances the clock in one step, and wakes the sleeps whose deadlines have passed, in the order of their deadlines.
    /// The clock stops at `Duration::MAX`.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.now = state.now.saturating_add(by);
        let now = state.now;
        while let Some(first) = state.sleepers.first_entry().filter(|first| first.key().0 <= now) {
            let waker = first.remove();
            drop(state); // a waker may set a sleep
            waker.wake();
            state = self.state();
        }
    }

    /// The earliest deadline of the sleeps that were polled and are not ready.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        self.state().sleepers.keys().next().map(|key| key.0)
    }

    /// Runs the future to its end. Whenever it waits, the clock advances to the next deadline.
    ///
    /// # Panics
    ///
    /// If the future waits while no sleep is set, since nothing would wake it. If the future is woken a million times
    /// while the clock stands still, since it spins.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let woken = Arc::new(FlagWaker(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let (mut instant, mut polls) = (self.now(), 0);
        loop {
            if woken.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
                let now = self.now();
                polls = if now == instant { polls + 1 } else { 0 };
                instant = now;
                assert!(polls < POLLS, "the future spins: {POLLS} polls at {now:?}");
            } else if let Some(next) = self.next_deadline() {
                self.advance(next.saturating_sub(self.now()));
            } else {
                panic!("the future waits, and no sleep is set that could wake it");
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, ClockState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner) // no panic leaves it inconsistent
    }
}

impl Timer for VirtualTime {
    type Instant = Duration;
    type Sleep = VirtualSleep;

    fn now(&self) -> Duration {
        self.state().now
    }

    fn sleep_until(&self, deadline: Duration) -> VirtualSleep {
        VirtualSleep {
            time: self.clone(),
            due: deadline.saturating_sub(self.granularity),
            key: None,
        }
    }

    fn granularity(&self) -> Duration {
        self.granularity
    }
}

/// A sleep of a [`VirtualTime`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct VirtualSleep {
    time: VirtualTime,
    due: Duration,
    /// Its key in the clock, once it was polled.
    key: Option<u64>,
}

impl Future for VirtualSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.time.state();
        if this.due <= state.now {
            return Poll::Ready(());
        }
        let key = *this.key.get_or_insert_with(|| {
            state.keys += 1;
            state.keys
        });
        let replaced = state.sleepers.insert((this.due, key), cx.waker().clone());
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for VirtualSleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.time.state().sleepers.remove(&(self.due, key));
            drop(waker); // with the clock unlocked, since this may drop a task
        }
    }
}

/// Remembers that it was woken.
struct FlagWaker(AtomicBool);

impl Wake for FlagWaker {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
