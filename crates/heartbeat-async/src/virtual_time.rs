//! Time for tests that only passes when they say so, or when nothing else is left to do.
//!
//! Needs the feature `virtual-time`, and std. With it a test of hours takes microseconds and gives the
//! same answer each time.
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
//! let quiet = stream::pending().heartbeat(time.clone(), Duration::from_secs(3600), || "beat");
//! let mut quiet = pin!(quiet);
//!
//! time.block_on(async {
//!     for hour in 1..=24 {
//!         assert_eq!(quiet.next().await, Some("beat"));
//!         assert_eq!(time.now(), Duration::from_secs(3600 * hour));
//!     }
//! });
//! ```

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Timer;
use crate::flag_waker::FlagWaker;

/// How often a future may be polled while the clock stands still.
const POLLS: u32 = 1_000_000;

/// A clock that stands still until it is moved, and alarms on it. Clones show the same time, which
/// begins at zero.
///
/// [`block_on`](Self::block_on) moves it by itself; with an executor of your own, move it with
/// [`advance`](Self::advance).
#[derive(Debug, Clone, Default)]
pub struct VirtualTime {
    world: Arc<Mutex<World>>,
    granularity: Duration,
}

#[derive(Debug, Default)]
struct World {
    now: Duration,
    keys: u64,
    /// Who is woken when, in the order in which they fall due.
    alarms: BTreeMap<(Duration, u64), Waker>,
}

impl VirtualTime {
    /// The clock at zero, with alarms that go off to the nanosecond.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same clock with alarms that go off earlier by this much, as those of a timer that many
    /// streams share (T4, T15).
    #[must_use]
    pub fn with_granularity(self, granularity: Duration) -> Self {
        Self { granularity, ..self }
    }

    /// Moves the clock on at a stroke, and wakes whoever set an alarm for what has passed, in the
    /// order of the alarms. It stops at the end of time, 584 billion years.
    pub fn advance(&self, by: Duration) {
        let mut world = self.world();
        world.now = world.now.saturating_add(by);
        let now = world.now;
        while let Some(first) = world.alarms.first_entry().filter(|first| first.key().0 <= now) {
            let waker = first.remove();
            drop(world); // who is woken may set an alarm
            waker.wake();
            world = self.world();
        }
    }

    /// When the next alarm goes off, if any is set and was polled.
    #[must_use]
    pub fn next_alarm(&self) -> Option<Duration> {
        self.world().alarms.keys().next().map(|key| key.0)
    }

    /// Runs the future to its end. Whenever it waits, the clock moves to the next alarm.
    ///
    /// # Panics
    ///
    /// If the future waits while no alarm is set: nothing would ever wake it. If it is woken a million
    /// times while the clock stands still: it would never wait.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let (woken, waker) = FlagWaker::new();
        waker.wake_by_ref();
        let mut cx = Context::from_waker(&waker);
        let (mut instant, mut polls) = (self.now(), 0);
        loop {
            if woken.take() {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
                let now = self.now();
                polls = if now == instant { polls + 1 } else { 0 };
                instant = now;
                assert!(polls < POLLS, "the future spins: {POLLS} polls at {now:?}");
            } else if let Some(next) = self.next_alarm() {
                self.advance(next.saturating_sub(self.now()));
            } else {
                panic!("the future waits, and no alarm is set that could wake it");
            }
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner) // nothing in here panics half-way
    }
}

impl Timer for VirtualTime {
    type Instant = Duration;
    type Sleep = Alarm;

    fn now(&self) -> Duration {
        self.world().now
    }

    fn sleep_until(&self, deadline: Duration) -> Alarm {
        Alarm { time: self.clone(), due: deadline.saturating_sub(self.granularity), key: None }
    }

    fn reset(&self, mut sleep: Pin<&mut Option<Alarm>>, deadline: Duration) {
        match sleep.as_mut().as_pin_mut() {
            Some(mut alarm) => {
                alarm.unset();
                alarm.due = deadline.saturating_sub(self.granularity);
            }
            None => sleep.set(Some(self.sleep_until(deadline))),
        }
    }

    fn granularity(&self) -> Duration {
        self.granularity
    }
}

/// An alarm of a [`VirtualTime`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Alarm {
    time: VirtualTime,
    due: Duration,
    /// Under which it is set, once it was polled.
    key: Option<u64>,
}

impl Alarm {
    fn unset(&mut self) {
        if let Some(key) = self.key.take() {
            let waker = self.time.world().alarms.remove(&(self.due, key));
            drop(waker); // with the world unlocked: it may be the last that holds a task
        }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut world = this.time.world();
        if this.due <= world.now {
            return Poll::Ready(());
        }
        let key = *this.key.get_or_insert_with(|| {
            world.keys += 1;
            world.keys
        });
        let replaced = world.alarms.insert((this.due, key), cx.waker().clone());
        drop(world);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.unset();
    }
}
