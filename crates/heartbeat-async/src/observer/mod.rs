//! Observers of streams.

#[cfg(target_has_atomic = "64")]
mod counters;
pub(crate) mod reporter;
pub(crate) mod telemetry;

use core::ops::Deref;
use core::time::Duration;

#[cfg(target_has_atomic = "64")]
pub use counters::{Counters, CountersSnapshot};
pub use telemetry::{Observed, Telemetry};

/// Receives reports on streams and sinks, for metrics or logs. Every method does nothing by default.
/// See [T19](crate::rules#t19-outcome).
///
/// One observer can serve many streams: `&O`, `Arc<O>` and `Arc<dyn Observer>` are observers too. The methods are
/// called while a stream is polled or dropped, so they should be short and must not block.
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
///     fn on_heartbeat(&self, outcome: Outcome, late: Duration, _encoded_len: Option<usize>) {
///         println!("heartbeat {outcome:?}, {late:?} late");
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an observer of heartbeats",
    note = "implement `heartbeat_async::Observer`, or share an observer: references, `Box`, `Rc` and `Arc` of an observer are \
            observers"
)]
pub trait Observer {
    /// A stream was opened with this observer.
    fn on_open(&self) {}

    /// A stream that was [opened](Self::on_open) was dropped, or its driver has ended. Called once per stream, as the
    /// last report.
    fn on_close(&self) {}

    /// A heartbeat was sent or lost.
    ///
    /// `late` is the time from its deadline until it was yielded or handed to the sink. `encoded_len` is its size in
    /// bytes where [`MakeHeartbeat::encoded_len`](crate::MakeHeartbeat::encoded_len) knows it.
    fn on_heartbeat(&self, outcome: Outcome, late: Duration, encoded_len: Option<usize>) {
        let _ = (outcome, late, encoded_len);
    }

    /// A heartbeat was due and is not sent: an event or other bytes went first, or the heartbeats were stopped.
    /// See [T6](crate::rules#t6-cancelled).
    ///
    /// Only sinks report this. A stream yields an item that is ready before it makes a heartbeat.
    fn on_cancelled(&self) {}

    /// No event came for longer than [`Config::with_give_up_after`](crate::Config::with_give_up_after) allows, and the
    /// heartbeats stop until the next event.
    fn on_give_up(&self) {}

    /// The peer does not read, and the heartbeats stop. See [T20](crate::rules#t20-stalled).
    ///
    /// A stream reports this only on a hub, and only when it is polled again, stopped or dropped. With a timer of its
    /// own, a stream that is not polled does nothing.
    fn on_stall(&self) {}

    /// The hub does not serve the stream, and the heartbeats stop: the hub is full, or its task was dropped. Reported
    /// when the stream is polled next; its task is woken for that. Never reported without a hub.
    fn on_detached(&self) {}

    /// The stream was idle for `lasted`. A stream measures this when the consumer polls and no item is ready, and at
    /// its end; items in between share one report. The idle time before a stream is dropped is not reported,
    /// nor any while heartbeats are disabled or stopped.
    fn on_idle(&self, lasted: Duration) {
        let _ = lasted;
    }

    /// A response passes through a `HeartbeatLayer` without heartbeats. `reason` is the name of a
    /// `PassthroughReason` of the crate `heartbeat-http`. No other report follows for the response.
    fn on_passthrough(&self, reason: &'static str) {
        let _ = reason;
    }

    /// Whether reports are used. If `false`, streams do not measure their idle time. Default: `true`.
    fn is_enabled(&self) -> bool {
        true
    }
}

/// The outcome of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The heartbeat was handed to the transport.
    Sent,
    /// The heartbeat could not be sent, or the stream was dropped before that was known.
    Error,
}

/// No observer. A stream without an observer stores nothing for reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn is_enabled(&self) -> bool {
        false
    }
}

impl<P: Deref<Target: Observer>> Observer for P {
    fn on_open(&self) {
        (**self).on_open();
    }

    fn on_close(&self) {
        (**self).on_close();
    }

    fn on_heartbeat(&self, outcome: Outcome, late: Duration, encoded_len: Option<usize>) {
        (**self).on_heartbeat(outcome, late, encoded_len);
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

    fn on_passthrough(&self, reason: &'static str) {
        (**self).on_passthrough(reason);
    }

    fn is_enabled(&self) -> bool {
        (**self).is_enabled()
    }
}
