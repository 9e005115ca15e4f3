use core::mem;
use core::time::Duration;

use crate::instant::earliest;
use crate::jitter::XorShift32;
use crate::nanos::Nanos;
use crate::{Config, Instant, Jitter};

/// Decides when one stream needs a heartbeat. It has no clock: the caller passes the time to every call.
///
/// - **Reports**, in any order and at any time: [`on_send`](Self::on_send), [`on_bytes`](Self::on_bytes),
///   [`on_heartbeat_sent`](Self::on_heartbeat_sent), [`on_heartbeat_failed`](Self::on_heartbeat_failed),
///   [`stop`](Self::stop).
/// - **Decision**: [`poll_deadline`](Self::poll_deadline). Poll after each report, and when the deadline
///   that the last poll returned has passed. Additional polls change nothing.
///
/// The *gap* is the silence after which a heartbeat is due: the interval, less jitter
/// ([T11](crate::rules#t11-jitter)).
///
/// A `now` earlier than the latest one seen counts as the latest one ([T7](crate::rules#t7-monotonic)).
/// A deadline that cannot be represented is never reached ([T8](crate::rules#t8-no-overflow)). No call
/// panics, whatever the clock does.
///
/// # Example
///
/// ```
/// use core::time::Duration;
/// use heartbeat_core::{Action, Config, Heartbeat};
///
/// let at = Duration::from_secs;
/// let mut heartbeat = Heartbeat::new(&Config::every(Duration::from_secs(10)), at(0));
/// assert_eq!(
///     heartbeat.poll_deadline(at(12)),
///     Action::SendHeartbeat { late: Duration::from_secs(2) },
/// );
///
/// // An event was sent before the heartbeat, which is therefore cancelled (T6).
/// heartbeat.on_send(at(13));
/// assert_eq!(heartbeat.poll_deadline(at(13)), Action::WaitUntil(at(23)));
/// ```
#[derive(Debug, Clone)]
#[must_use = "a heartbeat does nothing unless it is polled"]
// T13: the fields that `on_send` writes come first, in half a cache line; the alignment keeps them in one line.
#[repr(C, align(32))]
pub struct Heartbeat<I> {
    /// The latest `now` seen (T7).
    latest: I,
    rng: XorShift32,
    jitter: Jitter,
    phase: Phase,
    /// An event was sent at `latest`, and the next poll or report has yet to apply it.
    send_pending: bool,
    /// When bytes were last sent; in flight, when the heartbeat was requested.
    idle_since: I,
    /// The last event, or the opening of the stream (T12); `None` after giving up.
    last_event: Option<I>,
    interval: Nanos,
    give_up_after: Nanos,
    stall_after: Nanos,
    granularity: Nanos,
    /// The silence before `idle_since`: zero unless a heartbeat is in flight.
    idle_before_send: Nanos,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The first heartbeat is due when the stream is opened (T2).
    ImmediateFirst,
    /// A heartbeat is due one gap after `idle_since`.
    Armed,
    /// A heartbeat was requested, and its outcome is not known yet (T5).
    InFlight,
    /// Heartbeats have ended (T9, T10, T20).
    Stopped,
}

/// The decision of [`Heartbeat::poll_deadline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "an action is returned once: the next poll assumes that it was carried out"]
pub enum Action<I> {
    /// Nothing to do before this instant. Poll again then, or after the next report.
    WaitUntil(I),
    /// Nothing to do before the next report.
    WaitForever,
    /// Send one heartbeat now, then report whether it was sent. Requested once
    /// ([T5](crate::rules#t5-one-in-flight)).
    SendHeartbeat {
        /// The time since the heartbeat was due ([T19](crate::rules#t19-outcome)).
        late: Duration,
    },
    /// No event was sent for too long: no heartbeat follows until an event is sent. Returned once per
    /// silence ([T12](crate::rules#t12-give-up)).
    GiveUp,
    /// The peer does not read: a heartbeat was in flight for too long. Returned once; heartbeats have
    /// ended ([T20](crate::rules#t20-stalled)).
    Stalled,
    /// Heartbeats have ended for good ([T9](crate::rules#t9-stop)).
    Stopped,
}

impl<I: Instant> Heartbeat<I> {
    /// The heartbeat of a stream that is opened `now`.
    ///
    /// The first deadline is one gap later, or `now` if `config` has an immediate first heartbeat
    /// ([T2](crate::rules#t2-first-heartbeat)).
    pub fn new(config: &Config, now: I) -> Self {
        let disabled = config.is_disabled(); // T1
        let limit = |limit| if disabled { Nanos::NEVER } else { Nanos::from_timeout(limit) };
        Self {
            latest: now,
            rng: XorShift32::seed(config.seed().unwrap_or_default()),
            jitter: config.jitter(),
            phase: if config.immediate_first() && !disabled {
                Phase::ImmediateFirst
            } else {
                Phase::Armed
            },
            send_pending: false,
            idle_since: now,
            last_event: Some(now),
            interval: limit(config.interval()),
            give_up_after: limit(config.give_up_after()),
            stall_after: limit(config.stall_after()),
            granularity: Nanos::ZERO,
            idle_before_send: Nanos::ZERO,
        }
    }

    /// Sets how early the timer of the caller may fire. Default: zero, no heartbeat is early.
    ///
    /// A heartbeat is then due that much before its deadline ([T4](crate::rules#t4-due)), so that one
    /// wake-up can serve many streams. At most half of a gap counts: a coarse timer at most doubles the
    /// rate of heartbeats. Giving up and stalling are never early. For them the returned deadline is
    /// later by the granularity, so that a timer that fires early still fires late enough.
    pub fn with_granularity(mut self, granularity: Duration) -> Self {
        self.granularity = Nanos::new(granularity);
        self
    }

    /// Reports that an event was sent. It restarts the silence ([T3](crate::rules#t3-a-send-resets-the-deadline))
    /// and cancels a heartbeat in flight ([T6](crate::rules#t6-cancelled)).
    ///
    /// It only stores the instant, which is cheap enough for every event
    /// ([T13](crate::rules#t13-small-and-cheap)). Do not report a send that failed.
    #[inline]
    pub fn on_send(&mut self, now: I) {
        self.latest = self.latest.max(now); // T7
        self.send_pending = true;
    }

    /// Reports that bytes other than an event were sent, such as a heartbeat of another layer.
    ///
    /// They restart the silence and cancel a heartbeat in flight, as [`on_send`](Self::on_send) does
    /// ([T3](crate::rules#t3-a-send-resets-the-deadline), [T6](crate::rules#t6-cancelled)). They do not postpone
    /// giving up ([T12](crate::rules#t12-give-up)).
    pub fn on_bytes(&mut self, now: I) {
        self.advance_clock(now);
        if self.phase != Phase::Stopped {
            self.restart();
        }
    }

    /// Reports that the heartbeat was sent. If it had been cancelled, the report counts as
    /// [`on_bytes`](Self::on_bytes) ([T6](crate::rules#t6-cancelled)).
    pub fn on_heartbeat_sent(&mut self, now: I) {
        self.on_bytes(now);
    }

    /// Reports that a heartbeat could not be sent. Heartbeats end: the next event will fail in the same
    /// way ([T10](crate::rules#t10-failed)).
    pub fn on_heartbeat_failed(&mut self) {
        self.stop();
    }

    /// Ends the heartbeats. May be called in any state, and more than once ([T9](crate::rules#t9-stop)).
    pub fn stop(&mut self) {
        self.apply_pending_send();
        self.phase = Phase::Stopped;
    }

    /// Decides what to do at `now`. If several results apply, the first of these is returned: stopped,
    /// stalled, give up, send a heartbeat, wait.
    ///
    /// Three results are returned once: a heartbeat is requested once until it is reported or cancelled
    /// ([T5](crate::rules#t5-one-in-flight)), giving up is returned once per silence
    /// ([T12](crate::rules#t12-give-up)), and stalling once ([T20](crate::rules#t20-stalled)).
    ///
    /// Every report can change the result.
    pub fn poll_deadline(&mut self, now: I) -> Action<I> {
        self.advance_clock(now);
        let now = self.latest;
        if self.phase == Phase::Stopped {
            return Action::Stopped;
        }

        let (stalled_at, give_up_at) = (self.stalled_at(), self.give_up_at());
        if stalled_at.is_some_and(|at| at <= now) {
            self.phase = Phase::Stopped; // T20: once
            return Action::Stalled;
        }
        if give_up_at.is_some_and(|at| at <= now) {
            self.last_event = None; // T12: once
            return Action::GiveUp;
        }

        let gap = self.jittered_interval();
        let (deadline, tolerance) = (self.deadline(gap), self.tolerance(gap));
        match deadline {
            Some(at) if is_due(at, now, tolerance) => {
                self.phase = Phase::InFlight;
                self.idle_before_send = Nanos::new(now.saturating_duration_since(self.idle_since));
                self.idle_since = now;
                self.rng = self.rng.next(); // T11: not at a send
                return Action::SendHeartbeat { late: now.saturating_duration_since(at) };
            }
            _ => {}
        }
        let wake_at = self.wake_at(deadline, tolerance, earliest(stalled_at, give_up_at));
        wake_at.map_or(Action::WaitForever, Action::WaitUntil)
    }

    /// The silence at `now`: the time since bytes of any kind were last sent, or since the stream was
    /// opened ([T19](crate::rules#t19-outcome)).
    ///
    /// A stopped heartbeat ignores reports ([T9](crate::rules#t9-stop)), so its silence continues.
    /// While a heartbeat is in flight, a silence of more than 584 years is returned as 584 years.
    #[must_use]
    pub fn idle_time(&self, now: I) -> Duration {
        let now = self.latest.max(now);
        if self.send_pending && self.phase != Phase::Stopped {
            return now.saturating_duration_since(self.latest);
        }
        now.saturating_duration_since(self.idle_since)
            .saturating_add(self.idle_before_send.duration())
    }

    /// Whether a heartbeat was requested, and was neither reported nor cancelled since.
    ///
    /// A caller that had to wait before it could send a heartbeat checks this again immediately before
    /// the send ([T6](crate::rules#t6-cancelled), [T9](crate::rules#t9-stop)).
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        self.phase == Phase::InFlight && !self.send_pending
    }

    /// Whether heartbeats have ended for good ([T9](crate::rules#t9-stop),
    /// [T10](crate::rules#t10-failed), [T20](crate::rules#t20-stalled)).
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.phase == Phase::Stopped
    }

    /// When the peer counts as stalled (T20).
    fn stalled_at(&self) -> Option<I> {
        if self.phase == Phase::InFlight { self.stall_after.after(self.idle_since) } else { None }
    }

    /// When to give up (T12).
    fn give_up_at(&self) -> Option<I> {
        self.give_up_after.after(self.last_event?)
    }

    /// The gap: the silence after which the next heartbeat is due (T11).
    fn jittered_interval(&self) -> Nanos {
        self.jitter.shorten(self.interval, self.rng)
    }

    /// When the next heartbeat is due, granularity not counted.
    fn deadline(&self, gap: Nanos) -> Option<I> {
        match self.phase {
            _ if self.last_event.is_none() => None, // T12
            Phase::ImmediateFirst => Some(self.idle_since),
            Phase::Armed => gap.after(self.idle_since),
            Phase::InFlight | Phase::Stopped => None, // T5
        }
    }

    /// By how much a heartbeat may be early (T4).
    fn tolerance(&self, gap: Nanos) -> Nanos {
        self.granularity.min(gap.half())
    }

    /// When to wake up for a deadline and a limit. The timer may fire a granularity early; what must not be
    /// early is therefore polled a granularity late.
    fn wake_at(&self, deadline: Option<I>, tolerance: Nanos, limit: Option<I>) -> Option<I> {
        let later = |at: I, by: Nanos| match by {
            Nanos::ZERO => at,
            by => by.after(at).unwrap_or(at),
        };
        let deadline = deadline.map(|at| later(at, self.granularity.saturating_sub(tolerance)));
        earliest(deadline, limit.map(|at| later(at, self.granularity)))
    }

    fn advance_clock(&mut self, now: I) {
        self.apply_pending_send();
        self.latest = self.latest.max(now); // T7
    }

    /// Applies a send that `on_send` has only stored.
    fn apply_pending_send(&mut self) {
        if mem::take(&mut self.send_pending) && self.phase != Phase::Stopped {
            self.last_event = Some(self.latest);
            self.restart();
        }
    }

    /// Bytes were sent at `latest`: the next heartbeat is due a gap later (T3), and one in flight was
    /// sent or is cancelled.
    fn restart(&mut self) {
        self.idle_since = self.latest;
        self.idle_before_send = Nanos::ZERO;
        self.phase = Phase::Armed; // T6
    }
}

/// Whether `at` has passed at `now`, or is at most `tolerance` away.
fn is_due<I: Instant>(at: I, now: I, tolerance: Nanos) -> bool {
    at <= now
        || (tolerance > Nanos::ZERO && at.saturating_duration_since(now) <= tolerance.duration())
}

#[cfg(feature = "alloc")]
mod saved_state;
#[cfg(feature = "alloc")]
pub(crate) use saved_state::SavedState;

#[cfg(test)]
mod tests;
