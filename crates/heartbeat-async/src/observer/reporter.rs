//! Reports of one stream.

use core::time::Duration;

use crate::schedule::DetachReason;
use crate::{Observer, Outcome};

/// An event of the crate `tracing`, with the feature of that name.
#[cfg(feature = "tracing")]
macro_rules! event {
    ($level:ident, $($what:tt)+) => {
        tracing::event!(target: "heartbeat", tracing::Level::$level, $($what)+)
    };
}
#[cfg(not(feature = "tracing"))]
macro_rules! event {
    ($($what:tt)+) => {
        ()
    };
}
pub(crate) use event;

/// Reports on one stream to its observer, and to `tracing` with the feature of that name. Reports that the stream is
/// opened when it is made, and that it is closed when it is dropped.
pub(crate) struct Reporter<O: Observer>(O);

impl<O: Observer> Reporter<O> {
    pub(crate) fn new(observer: O) -> Self {
        observer.on_open();
        Self(observer)
    }

    pub(crate) fn observer(&self) -> &O {
        &self.0
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.0.is_enabled()
    }

    pub(crate) fn heartbeat(&self, outcome: Outcome, late: Duration, encoded_len: Option<usize>) {
        match outcome {
            Outcome::Sent => {
                event!(TRACE, late = ?whole_millis(late), bytes = encoded_len, "heartbeat sent");
            }
            Outcome::Error => event!(DEBUG, late = ?whole_millis(late), "heartbeat lost"),
        }
        self.0.on_heartbeat(outcome, late, encoded_len);
    }

    pub(crate) fn cancelled(&self) {
        event!(TRACE, "heartbeat cancelled");
        self.0.on_cancelled();
    }

    pub(crate) fn gave_up(&self) {
        event!(INFO, "no event for too long, heartbeats stopped");
        self.0.on_give_up();
    }

    pub(crate) fn stalled(&self) {
        event!(INFO, "peer does not read, heartbeats stopped");
        self.0.on_stall();
    }

    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "it is for the event"))]
    pub(crate) fn detached(&self, error: DetachReason) {
        event!(ERROR, %error, "no heartbeats from the hub");
        self.0.on_detached();
    }

    pub(crate) fn idle(&self, lasted: Duration) {
        self.0.on_idle(lasted);
    }
}

/// The duration in a log, without the part below a millisecond.
#[cfg(feature = "tracing")]
fn whole_millis(duration: Duration) -> Duration {
    Duration::new(duration.as_secs(), duration.subsec_millis() * 1_000_000)
}

impl<O: Observer> Drop for Reporter<O> {
    fn drop(&mut self) {
        self.0.on_close();
    }
}
