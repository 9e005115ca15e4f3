//! Many streams on one alarm of the runtime (T15). The module's structure, and why it is so:
//!
//! - **The machines live in the hub** ([`shard`]), as the members of a [`HeartbeatSet`](heartbeat_core::HeartbeatSet),
//!   each with the waker of its task. A stream holds a handle and a key ([`hub_schedule`]), and a sink notes what
//!   is sent ([`hub_sink_schedule`]): a send takes no lock. The machine hears of it before the next question.
//! - **One task waits for the alarm** ([`task`]). It then wakes all that fall due, and asks no machine
//!   but those whose owner cannot: nobody polls a stream while its heartbeat is in flight (T20).
//! - **Who waits for less than the alarm is set for wakes that task** ([`hub_clock`]), and nobody else
//!   does.
//! - **Shards** keep threads from waiting for each other. Nobody holds two locks at a time, and nothing
//!   foreign is called under one, but for the clock, and the cloning of a waker.

use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering};
use alloc::boxed::Box;
use core::fmt;
use core::num::NonZeroUsize;
use core::time::Duration;
use std::thread;

use heartbeat_core::Config;

use crate::Timer;
use crate::schedule::SealedScheduler;
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

/// How many shards there are for each thread that the machine runs at once.
const SHARDS_PER_THREAD: usize = 4;

/// One alarm of the runtime for the heartbeats of any number of streams, sinks and bodies. It is taken
/// wherever a [`Timer`] is.
///
/// A stream on a timer has a machine and an alarm of its own. On a hub it holds 24 bytes, and the hub 44
/// for it; and all whose heartbeats fall due within the same 64th of an interval are woken at once: the
/// process wakes at most 64 times per interval, however many quiet streams it has. Without streams it
/// does not wake at all.
///
/// Each stream keeps the rules as if on a timer of its own, but a heartbeat may be early by up to a 64th
/// of its interval (T15). It is never late for it. Giving up and stalling may be late by as much.
///
/// Clones are the same hub. It lasts as long as one of them does, or a stream that uses it; then its task
/// ends.
///
/// # The task
///
/// A hub is made together with its [`HubTask`], which has to be spawned. Where that was dropped, or the
/// runtime has ended it, the heartbeats of all streams cease, which is told: [`HubError::Stopped`] is what a
/// [`Driver`](crate::Driver) ends with and what an [`Observer`](crate::Observer::on_detached) hears of a
/// stream. [`is_running`](Self::is_running) asks. A task that is kept somewhere and never polled is not noticed.
///
/// # Peers that do not read
///
/// On a hub [`Config::with_stall_after`] has an effect on streams and bodies, too: who has taken a
/// heartbeat and does not poll for that long is told of as
/// [`stalled`](crate::Observer::on_stall) when it polls again, or the stream is stopped or dropped, and
/// gets no more heartbeats (T20). Its task is woken when that is so. Who has taken a real item and does not
/// poll asks for nothing, and is not told of.
///
/// # Time
///
/// The hub's clock is that of its timer, and never runs back by a millisecond or more (T7). If the
/// timer's alarms may go off early, those of the hub are set that much later, and may make a heartbeat
/// late by as much.
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
/// let (mut beats, ()) = time.block_on(future::join(both, task));
/// beats.sort();
/// assert_eq!(beats, ["that", "that", "this", "this"]);
/// ```
pub struct Hub<T: Timer>(Arc<Shards<T>>);

struct Shards<T: Timer> {
    all: Box<[Arc<Shard<T>>]>,
    /// Which of them takes the next stream.
    next: AtomicUsize,
}

impl<T: Timer + Default> Hub<T> {
    /// A hub, and the task that has to be spawned for it.
    #[must_use = "nothing beats unless the task is spawned"]
    pub fn new() -> (Self, HubTask<T>) {
        Self::with_timer(T::default())
    }
}

impl<T: Timer> Hub<T> {
    /// The same with a timer that cannot be had for nothing.
    ///
    /// It has four shards for each thread that this machine runs at once.
    #[must_use = "nothing beats unless the task is spawned"]
    pub fn with_timer(timer: T) -> (Self, HubTask<T>) {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let shards = NonZeroUsize::MIN.saturating_add(threads * SHARDS_PER_THREAD - 1);
        Self::with_shards(timer, shards)
    }

    /// The same with that many shards. One is right where there is one thread.
    #[must_use = "nothing beats unless the task is spawned"]
    pub fn with_shards(timer: T, shards: NonZeroUsize) -> (Self, HubTask<T>) {
        let clock = Arc::new(HubClock::new(timer));
        let shard = |_| Arc::new(Shard::new(Arc::clone(&clock)));
        let all: Box<[_]> = (0..shards.get()).map(shard).collect();
        let task = HubTask::new(clock, all.iter().map(Arc::downgrade).collect());
        (Self(Arc::new(Shards { all, next: AtomicUsize::new(0) })), task)
    }

    /// Whether its task is there. If not, nothing on this hub beats any more.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.all.first().is_some_and(|shard| shard.clock().is_running())
    }

    /// How many streams have heartbeats of it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.all.iter().map(|shard| shard.len()).sum()
    }

    /// Whether no stream has heartbeats of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn next_shard(&self) -> Arc<Shard<T>> {
        let Shards { all, next } = &*self.0;
        Arc::clone(&all[next.fetch_add(1, Ordering::Relaxed) % all.len()])
    }
}

impl<T: Timer> SealedScheduler for Hub<T> {
    type Instant = Duration;
    type Schedule = HubSchedule<T>;
    type SinkSchedule = HubSinkSchedule<T>;

    fn schedule(self, config: Config) -> HubSchedule<T> {
        HubSchedule::schedule(self.next_shard(), config)
    }

    fn schedule_sink(self, config: Config) -> HubSinkSchedule<T> {
        HubSinkSchedule::schedule(self.next_shard(), config)
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

/// Why a [`Hub`] does not serve a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HubError {
    /// Its [task](HubTask) is not there any more, or was never spawned.
    Stopped,
    /// It has 65,536 different configurations, or two thousand million streams, in the shard that was to
    /// take this one.
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
