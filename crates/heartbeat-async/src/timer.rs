use core::future::Future;
use core::pin::Pin;
use core::time::Duration;

/// A clock and its alarms: all that the glue asks of a runtime, or of a hub that many streams share.
///
/// The clock must be the runtime's own, also where that can be paused or runs virtually: a deadline
/// read from one clock and an alarm set on another disagree.
///
/// No bound asks for `Send`, `Sync` or `'static`: what a timer and its alarms are, the streams that
/// hold them are too.
pub trait Timer {
    /// What the clock shows. Under tokio a `std` instant, read from tokio's (pausable) clock.
    type Instant: heartbeat_core::Instant;

    /// An alarm. Ready once its deadline has passed: late if need be, early by no more than
    /// [`granularity`](Self::granularity). Not polled again after that, unless it was reset.
    type Sleep: Future<Output = ()>;

    /// Reads the clock. On a hub also while a stream is dropped, so it must not panic.
    fn now(&self) -> Self::Instant;

    /// Makes an alarm. It registers no waker before its first poll.
    fn sleep_until(&self, deadline: Self::Instant) -> Self::Sleep;

    /// Moves the alarm, whether it has gone off or not, or makes it. The caller polls it before it
    /// answers `Pending`.
    ///
    /// The default makes a new alarm, which is right everywhere; a runtime that can move one in
    /// place does so here.
    fn reset(&self, mut sleep: Pin<&mut Option<Self::Sleep>>, deadline: Self::Instant) {
        sleep.set(Some(self.sleep_until(deadline)));
    }

    /// How early an alarm may go off. Default: zero, never.
    ///
    /// A heartbeat may then go out that much before its deadline (T4), which lets a timer that many
    /// streams share serve them in batches. An alarm earlier than this is a fault of the timer: in
    /// silence it costs the stream one more alarm per poll until the deadline has come, and one that
    /// goes off while items are taken may go unseen, so that the heartbeat after them is late.
    fn granularity(&self) -> Duration {
        Duration::ZERO
    }
}
