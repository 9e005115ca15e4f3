use core::time::Duration;

use crate::schedule::DetachReason;
use crate::{Observer, Outcome};

/// An event of `tracing`, if there is that feature.
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

/// Tells of one stream, from its opening to its end: to its observer, and to `tracing` with the
/// feature of that name.
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

    #[cfg_attr(
        not(feature = "tracing"),
        expect(clippy::match_same_arms, reason = "the events are nothing then")
    )]
    pub(crate) fn heartbeat(&self, outcome: Outcome, late: Duration, bytes: Option<usize>) {
        match outcome {
            Outcome::Sent => event!(TRACE, ?late, bytes, "a heartbeat was sent"),
            Outcome::Error => event!(DEBUG, ?late, "a heartbeat was lost"),
        }
        self.0.on_heartbeat(outcome, late, bytes);
    }

    pub(crate) fn withdrawn(&self) {
        event!(TRACE, "a heartbeat is not owed any more");
        self.0.on_cancelled();
    }

    pub(crate) fn gave_up(&self) {
        event!(INFO, "no real event for too long: the heartbeats cease");
        self.0.on_give_up();
    }

    pub(crate) fn stalled(&self) {
        event!(INFO, "the peer does not read: the heartbeats end");
        self.0.on_stall();
    }

    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "it is for the event"))]
    pub(crate) fn abandoned(&self, error: DetachReason) {
        event!(ERROR, %error, "the heartbeats cease");
        self.0.on_detached();
    }

    pub(crate) fn silence(&self, lasted: Duration) {
        self.0.on_idle(lasted);
    }
}

impl<O: Observer> Drop for Reporter<O> {
    fn drop(&mut self) {
        self.0.on_close();
    }
}
