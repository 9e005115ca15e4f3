//! What telemetry is told of a stream.

#[cfg(target_has_atomic = "64")]
mod counters;
pub(crate) mod reporter;
pub(crate) mod telemetry;

use core::ops::Deref;
use core::time::Duration;

pub use telemetry::Audience;

#[cfg(target_has_atomic = "64")]
pub use counters::{Counters, CountersSnapshot};

/// What telemetry may hear of a stream (T19). Every method does nothing by default.
///
/// One observer may serve many streams: `&O`, `Arc<O>` and `Arc<dyn Observer>` are observers too.
/// The calls come from within the stream's poll, or its drop, so keep them short.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use heartbeat_async::{Observer, Outcome};
///
/// struct Log;
///
/// impl Observer for Log {
///     fn on_heartbeat(&self, outcome: Outcome, late: Duration, _bytes: Option<usize>) {
///         println!("heartbeat {outcome:?}, {late:?} late");
///     }
/// }
/// ```
pub trait Observer {
    /// A stream was opened that tells this observer.
    fn on_open(&self) {}

    /// A stream that was [opened](Self::on_open) is gone: dropped, or its driver has ended. Each tells
    /// it once, and nothing after it.
    fn on_close(&self) {}

    /// A heartbeat came to its end: it went out or was lost.
    ///
    /// `late` is how long after its deadline it was handed over, `bytes` its size where
    /// [`MakeHeartbeat::encoded_len`](crate::MakeHeartbeat::encoded_len) knows it.
    fn on_heartbeat(&self, outcome: Outcome, late: Duration, bytes: Option<usize>) {
        let _ = (outcome, late, bytes);
    }

    /// A heartbeat was asked for, but was not owed any more when it could have been handed over: a real
    /// event was faster (T6), other bytes were, or the heartbeats were stopped (T9). A stream never
    /// tells this: there an event that is ready goes first, and no heartbeat is asked for.
    fn on_cancelled(&self) {}

    /// No real event came for so long that the heartbeats ceased (T12).
    fn on_give_up(&self) {}

    /// The peer takes nothing any more (T20). A stream tells this only on a hub, of a consumer that has
    /// stayed away with a heartbeat, and when it is polled again or dropped: on a timer, who does not
    /// poll it asks for nothing.
    fn on_stall(&self) {}

    /// The hub does not serve the stream, whose heartbeats cease: its task was dropped, or it is full. Told
    /// when the stream is polled next, for which its task is woken. Without a hub it never is.
    fn on_detached(&self) {}

    /// A silence ended, and how long it was. On the pull side the silences are measured when the
    /// consumer comes back and finds nothing ready, and at the end of the stream; items that it took
    /// in between share one. The silence before a stream is dropped is not told, and none
    /// where heartbeats are disabled or stopped.
    fn on_idle(&self, lasted: Duration) {
        let _ = lasted;
    }

    /// Whether anybody listens. If nobody does, a stream does not even measure its silences.
    fn is_enabled(&self) -> bool {
        true
    }
}

/// What became of a heartbeat (T19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was handed to the transport.
    Sent,
    /// It could not be sent, or nobody knows whether it was, since its stream was dropped first.
    Error,
}

/// Stands for the observer of a stream that was given none. Nothing is kept for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct NoObserver;

impl<P> Observer for P
where
    P: Deref,
    P::Target: Observer,
{
    fn on_open(&self) {
        (**self).on_open();
    }

    fn on_close(&self) {
        (**self).on_close();
    }

    fn on_heartbeat(&self, outcome: Outcome, late: Duration, bytes: Option<usize>) {
        (**self).on_heartbeat(outcome, late, bytes);
    }

    fn on_cancelled(&self) {
        (**self).on_cancelled();
    }

    fn on_give_up(&self) {
        (**self).on_give_up();
    }

    fn on_stall(&self) {
        (**self).on_stall();
    }

    fn on_detached(&self) {
        (**self).on_detached();
    }

    fn on_idle(&self, lasted: Duration) {
        (**self).on_idle(lasted);
    }

    fn is_enabled(&self) -> bool {
        (**self).is_enabled()
    }
}
