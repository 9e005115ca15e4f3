use core::future::Future;
use core::pin::Pin;
use core::time::Duration;

/// A clock and its sleeps: everything that this crate needs of a runtime.
///
/// The clock must be that of the runtime, also where it can be paused or is virtual: a deadline from one clock and a
/// sleep on another do not agree.
///
/// There is no bound on `Send`, `Sync` or `'static`. A stream has these traits if its timer and the sleeps of the timer
/// have them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a timer for heartbeats",
    note = "the adapters have timers: heartbeat-tokio, heartbeat-smol and heartbeat-async-std; for another runtime, \
            implement `heartbeat_async::Timer`"
)]
pub trait Timer {
    /// The time of the clock: `std::time::Instant` with the feature `std`, a `Duration` since an epoch, or another
    /// [`Instant`](crate::Instant).
    type Instant: heartbeat_core::Instant;

    /// A future that is ready once its deadline has passed. It may be late, and early by no more than
    /// [`granularity`](Self::granularity). After that it is polled again only if it was reset.
    type Sleep: Future<Output = ()>;

    /// Reads the clock. A hub calls it while a stream is dropped, so it must not panic.
    fn now(&self) -> Self::Instant;

    /// Makes a sleep. It registers no waker before its first poll.
    fn sleep_until(&self, deadline: Self::Instant) -> Self::Sleep;

    /// Moves the sleep to `deadline`, whether it is ready or not, or makes one if there is none. The caller polls the
    /// sleep before it returns `Pending`.
    ///
    /// The default makes a new sleep, which is always correct. Override it if the runtime can move a sleep in place.
    fn reset(&self, mut sleep: Pin<&mut Option<Self::Sleep>>, deadline: Self::Instant) {
        sleep.set(Some(self.sleep_until(deadline)));
    }

    /// How early a sleep may be ready. Default: zero.
    ///
    /// A heartbeat may then be sent that much before its deadline, which lets a shared timer serve many streams in
    /// batches. See [T4](crate::rules#t4-due). A sleep that is earlier is a fault of the timer: a stream then sets a
    /// sleep in each poll until the deadline.
    fn granularity(&self) -> Duration {
        Duration::ZERO
    }
}

/// The feature `std` alone is enough for a timer with the clock of std.
#[cfg(feature = "std")]
const _: () = {
    const fn is_instant<I: heartbeat_core::Instant>() {}
    is_instant::<std::time::Instant>();
};
