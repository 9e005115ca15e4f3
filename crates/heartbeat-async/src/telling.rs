use core::time::Duration;

use crate::pacemaker::Abandoned;
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
pub(crate) struct Telling<O: Observer>(O);

impl<O: Observer> Telling<O> {
    pub(crate) fn new(observer: O) -> Self {
        observer.opened();
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
        self.0.heartbeat(outcome, late, bytes);
    }

    pub(crate) fn withdrawn(&self) {
        event!(TRACE, "a heartbeat is not owed any more");
        self.0.withdrawn();
    }

    pub(crate) fn gave_up(&self) {
        event!(INFO, "no real event for too long: the heartbeats cease");
        self.0.gave_up();
    }

    pub(crate) fn stalled(&self) {
        event!(INFO, "the peer does not read: the heartbeats end");
        self.0.stalled();
    }

    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "it is for the event"))]
    pub(crate) fn abandoned(&self, error: Abandoned) {
        event!(ERROR, %error, "the heartbeats cease");
        self.0.abandoned();
    }

    pub(crate) fn silence(&self, lasted: Duration) {
        self.0.silence(lasted);
    }
}

impl<O: Observer> Drop for Telling<O> {
    fn drop(&mut self) {
        self.0.closed();
    }
}
