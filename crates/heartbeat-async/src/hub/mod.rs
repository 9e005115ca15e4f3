//! Many streams on one sleep of the runtime (T15).
//!
//! - **The heartbeats are members of a [`HeartbeatSet`](heartbeat_core::HeartbeatSet)** in a [`shard`], each with the
//!   waker of its task. A stream has a handle and a key ([`hub_schedule`]). A sink also has a record of the last send
//!   ([`hub_sink_schedule`]): a send takes no lock, and is reported before the next poll.
//! - **One task has the sleep** ([`task`]). It wakes the tasks of all members that are due. It polls only members whose
//!   heartbeat is in flight, since no other task polls a stream then (T20).
//! - **A stream wakes the task of the hub** if its deadline is earlier than the end of the sleep ([`hub_clock`]).
//! - **Shards** keep threads from waiting for each other. No thread holds two locks. Under a lock no code of the user
//!   runs, except for the clock and the cloning of wakers.

use alloc::boxed::Box;
use core::fmt;
use core::num::NonZeroUsize;
use core::time::Duration;
use std::thread;

use heartbeat_core::Config;

use crate::Timer;
use crate::schedule::sealed;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering};
use hub_clock::HubClock;
use hub_schedule::HubSchedule;
use hub_sink_schedule::HubSinkSchedule;
use shard::Shard;

mod hub_clock;
mod hub_schedule;
mod hub_sink_schedule;
mod shard;
mod task;

pub use task::HubTask;

/// How many shards a hub has for each thread that the machine runs in parallel.
const SHARDS_PER_THREAD: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// Schedules the heartbeats of any number of streams, sinks and bodies with one sleep of the runtime. Pass it in place of
/// a [`Timer`].
///
/// With a timer, each stream has a schedule and a sleep of its own. With a hub, a stream has 24 bytes, and 44 more in the
/// hub.
/// All streams whose heartbeats are due within one 64th of an interval are woken together. So the process wakes up at
/// most 64 times per interval, however many quiet streams it has, and never without streams.
///
/// Each stream follows the same rules as with a timer of its own, except that a heartbeat may be early by up to a 64th of
/// its interval, and giving up and stalling may be late by as much
/// ([T15](crate::rules#t15-many-streams-one-deadline)). Short limits for giving up and stalling add wake-ups, at most four
/// per second. Different intervals add wake-ups too; [`HeartbeatSet`](heartbeat_core::HeartbeatSet#precision) says how many.
/// Each shard of a hub is such a set.
///
/// Clones are handles of one hub. Its task ends when all clones and all streams on it are dropped.
///
/// # The task
///
/// [`Hub::new`] returns a [`HubTask`], which must be spawned. If the task is dropped, for example with its runtime, the
/// heartbeats of all streams end. A [`Driver`](crate::Driver) then returns [`HubError::Stopped`], and the
/// [`Observer`](crate::Observer::on_detached) of a stream is notified. See also [`is_running`](Self::is_running). A
/// task that exists but is never polled is not detected.
///
/// # Peers that do not read
///
/// On a hub [`Config::with_stall_after`] applies to streams and bodies too. A consumer that took a heartbeat and does
/// not poll for that long is reported as [stalled](crate::Observer::on_stall), and the heartbeats of its stream end
/// ([T20](crate::rules#t20-stalled)). The hub wakes the task of the stream. The report is made when the stream is
/// polled, stopped or dropped. A consumer that took another item and does not poll is not reported.
///
/// # Precision
///
/// The clock of the hub is that of its timer. It never runs back by a millisecond or more
/// ([T7](crate::rules#t7-monotonic)). If the sleeps of the timer may end early, the hub's sleep is set later by
/// that much, and a heartbeat may be late by that much.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use futures_util::{StreamExt, future, stream};
/// use heartbeat_async::virtual_time::VirtualTime;
/// use heartbeat_async::{HeartbeatStreamExt, Hub};
///
/// let time = VirtualTime::new();
/// let (hub, task) = Hub::with_timer(time.clone()); // spawn the task
/// let interval = Duration::from_secs(15);
/// let quiet = |name| stream::pending().heartbeat(hub.clone(), interval, move || name).take(2);
/// let both = stream::select(quiet("this"), quiet("that")).collect::<Vec<_>>();
/// drop(hub);
///
/// let (mut heartbeats, ()) = time.block_on(future::join(both, task));
/// heartbeats.sort();
/// assert_eq!(heartbeats, ["that", "that", "this", "this"]);
/// ```
pub struct Hub<T: Timer>(Arc<Shards<T>>);

struct Shards<T: Timer> {
    all: Box<[Arc<Shard<T>>]>,
    /// The number of streams so far, which chooses the shard of the next one.
    next: AtomicUsize,
}

impl<T: Timer + Default> Hub<T> {
    /// A hub, and its task, which must be spawned.
    #[must_use = "a hub sends no heartbeats unless its task is spawned"]
    pub fn new() -> (Self, HubTask<T>) {
        Self::with_timer(T::default())
    }
}

impl<T: Timer> Hub<T> {
    /// Like [`new`](Self::new), for a timer that does not implement `Default`.
    ///
    /// The hub has four shards for each thread that this machine runs in parallel.
    #[must_use = "a hub sends no heartbeats unless its task is spawned"]
    pub fn with_timer(timer: T) -> (Self, HubTask<T>) {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self::with_shards(timer, threads.saturating_mul(SHARDS_PER_THREAD))
    }

    /// Like [`with_timer`](Self::with_timer), with that many shards. One is enough for a single thread.
    #[must_use = "a hub sends no heartbeats unless its task is spawned"]
    pub fn with_shards(timer: T, shards: NonZeroUsize) -> (Self, HubTask<T>) {
        let clock = Arc::new(HubClock::new(timer));
        let shard = |_| Arc::new(Shard::new(Arc::clone(&clock)));
        let all: Box<[_]> = (0..shards.get()).map(shard).collect();
        let task = HubTask::new(clock, all.iter().map(Arc::downgrade).collect());
        (Self(Arc::new(Shards { all, next: AtomicUsize::new(0) })), task)
    }

    /// Whether the task of the hub exists. If not, the heartbeats of this hub have ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.all.first().is_some_and(|shard| shard.clock().is_running())
    }

    /// The number of streams with heartbeats on this hub.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.all.iter().map(|shard| shard.len()).sum()
    }

    /// Whether the hub has no stream with heartbeats.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Timer> sealed::Scheduler for Hub<T> {
    type Instant = Duration;
    type Schedule = HubSchedule<T>;
    type SinkSchedule = HubSinkSchedule<T>;

    fn schedule(self, config: Config) -> HubSchedule<T> {
        let Shards { all, next } = &*self.0;
        let shard = &all[next.fetch_add(1, Ordering::Relaxed) % all.len()];
        HubSchedule::new(Arc::clone(shard), config)
    }

    fn schedule_sink(self, config: Config) -> HubSinkSchedule<T> {
        HubSinkSchedule::new(self.schedule(config))
    }
}

impl<T: Timer> Clone for Hub<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Timer> fmt::Debug for Hub<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("streams", &self.len())
            .field("is_running", &self.is_running())
            .finish_non_exhaustive()
    }
}

/// Why a [`Hub`] does not schedule the heartbeats of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HubError {
    /// The [task](HubTask) of the hub was dropped. It may never have been spawned.
    Stopped,
    /// The shard for the stream has 65,536 different configurations, or two billion streams.
    Full,
}

impl fmt::Display for HubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => {
                "the hub's task was dropped: spawn it on a runtime that lasts as long as the streams"
            }
            Self::Full => "the hub is full: use fewer configurations, or several hubs",
        })
    }
}

impl core::error::Error for HubError {}
