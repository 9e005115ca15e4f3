use core::mem;
use core::time::Duration;

use crate::instant::earliest;
use crate::jitter::XorShift32;
use crate::nanos::Nanos;
use crate::{Config, Instant, Jitter};

/// Decides when one stream owes its peer a heartbeat. Holds no clock: every call is told the time.
///
/// **Facts in**, in any order and at any time: [`on_send`](Self::on_send),
/// [`on_bytes`](Self::on_bytes), [`on_heartbeat_sent`](Self::on_heartbeat_sent),
/// [`on_heartbeat_failed`](Self::on_heartbeat_failed), [`stop`](Self::stop).
/// **One question**: [`poll_deadline`](Self::poll_deadline). Ask it again after each fact and when
/// the deadline that it answered has come; asking more often changes nothing.
///
/// A `now` that lies before the latest one seen counts as the latest one seen (T7), and a deadline
/// that cannot be represented never comes (T8): nothing panics, whatever the clock does.
///
/// # Example
///
/// ```
/// use core::time::Duration;
/// use heartbeat_core::{Action, Config, Heartbeat};
///
/// let at = Duration::from_secs;
/// let mut heartbeat = Heartbeat::new(&Config::every(Duration::from_secs(10)), at(0));
/// assert_eq!(heartbeat.poll_deadline(at(12)), Action::SendHeartbeat { late: Duration::from_secs(2) });
///
/// // A real event was faster than the heartbeat, which is not owed any more (T6).
/// heartbeat.on_send(at(13));
/// assert_eq!(heartbeat.poll_deadline(at(13)), Action::WaitUntil(at(23)));
/// ```
#[derive(Debug, Clone)]
#[must_use = "a machine does nothing unless it is asked"]
// T13: what `on_send` touches comes first, in half a cache line that its alignment keeps whole.
#[repr(C, align(32))]
pub struct Heartbeat<I> {
    /// The latest `now` seen (T7).
    latest: I,
    rng: XorShift32,
    jitter: Jitter,
    phase: Phase,
    /// A real event was sent at `latest`, and nothing has been drawn from that yet.
    send_pending: bool,
    /// When bytes last left; in flight, when the heartbeat was asked for.
    idle_since: I,
    /// The last real event, or birth (T12); `None` once its silence was given up.
    last_event: Option<I>,
    interval: Nanos,
    give_up_after: Nanos,
    stall_after: Nanos,
    granularity: Nanos,
    /// The silence that had already passed at `since`: zero but in flight.
    idle_before_send: Nanos,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The first heartbeat is due at birth (T2).
    ImmediateFirst,
    /// A heartbeat is due one gap after `since`.
    Armed,
    /// A heartbeat was asked for, and its fate is not known (T5).
    InFlight,
    /// Over (T9, T10, T20).
    Stopped,
}

/// What [`Heartbeat::poll_deadline`] asks its caller to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "the machine takes an answer for heard and does not repeat it"]
pub enum Action<I> {
    /// Nothing before that instant. Ask again then, or after the next fact.
    WaitUntil(I),
    /// Nothing until the next fact.
    WaitForever,
    /// Send one heartbeat now, then report its fate; it is not asked for twice (T5).
    SendHeartbeat {
        /// How long ago it fell due (T19).
        late: Duration,
    },
    /// No real event was sent for too long: no heartbeat follows until one is. Said once per
    /// silence (T12).
    GiveUp,
    /// The peer does not read: a heartbeat was in flight for too long. Said once; the machine is
    /// stopped (T20).
    Stalled,
    /// The machine was stopped and stays so (T9).
    Stopped,
}

impl<I: Instant> Heartbeat<I> {
    /// A machine for a stream that is opened `now`. Its first deadline is one gap later, or `now`
    /// if the configuration is prompt (T2).
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

    /// Says how early the caller's alarms may fire. Default: zero, and no heartbeat is ever early.
    ///
    /// A heartbeat is then due that much before its deadline (T4), so that one wake-up serves many
    /// streams. Half of a gap is the most that counts: a coarse timer may double the rate of
    /// heartbeats, not flood the peer. Giving up and stalling are never early. What may not be early
    /// is answered with a deadline that lies that much later, for which an early alarm is late
    /// enough.
    pub fn with_granularity(mut self, granularity: Duration) -> Self {
        self.granularity = Nanos::new(granularity);
        self
    }

    /// Reports that a real event was handed to the transport. The silence starts anew (T3), and a
    /// heartbeat that was asked for but not yet handed over is withdrawn (T6).
    ///
    /// Cheap enough for every event: it records the instant, and nothing else (T13). Do not report
    /// a send that failed.
    #[inline]
    pub fn on_send(&mut self, now: I) {
        self.latest = self.latest.max(now); // T7
        self.send_pending = true;
    }

    /// Reports bytes that left but are no real event, such as somebody else's heartbeat. They break
    /// the silence as [`on_send`](Self::on_send) does (T3, T6), but the producer has shown no life:
    /// giving up comes no later for them (T12).
    pub fn on_bytes(&mut self, now: I) {
        self.advance_clock(now);
        if self.phase != Phase::Stopped {
            self.restart();
        }
    }

    /// Reports that a heartbeat was handed to the transport. One that had been withdrawn before is
    /// as good as other bytes (T6).
    pub fn on_heartbeat_sent(&mut self, now: I) {
        self.on_bytes(now);
    }

    /// Reports that a heartbeat could not be sent. The machine is stopped (T10): whoever sends the
    /// real events will meet the same failure.
    pub fn on_heartbeat_failed(&mut self) {
        self.stop();
    }

    /// Ends the heartbeats, from any state. May be called again (T9).
    pub fn stop(&mut self) {
        self.apply_pending_send();
        self.phase = Phase::Stopped;
    }

    /// What to do at `now`. Where several answers apply, the order is: stopped, stalled, give up,
    /// heartbeat due, wait.
    ///
    /// Three answers are remembered as given: a heartbeat is asked for once until its fate is
    /// reported or a real event overtakes it (T5), giving up is said once per silence (T12),
    /// stalling once (T20).
    pub fn poll_deadline(&mut self, now: I) -> Action<I> {
        self.advance_clock(now);
        let now = self.latest;
        if self.phase == Phase::Stopped {
            return Action::Stopped;
        }

        let (stalled_at, give_up_at) = (self.stalled_at(), self.give_up_at());
        if stalled_at.is_some_and(|at| at <= now) {
            self.phase = Phase::Stopped; // T20: said once
            return Action::Stalled;
        }
        if give_up_at.is_some_and(|at| at <= now) {
            self.last_event = None; // T12: said once
            return Action::GiveUp;
        }

        let gap = self.jittered_interval();
        let (deadline, tolerance) = (self.deadline(gap), self.tolerance(gap));
        match deadline {
            Some(at) if is_due(at, now, tolerance) => {
                self.phase = Phase::InFlight;
                self.idle_before_send = Nanos::new(now.saturating_duration_since(self.idle_since));
                self.idle_since = now;
                self.rng = self.rng.next(); // T11: never at a send
                return Action::SendHeartbeat { late: now.saturating_duration_since(at) };
            }
            _ => {}
        }
        let wake_at = self.wake_at(deadline, tolerance, earliest(stalled_at, give_up_at));
        wake_at.map_or(Action::WaitForever, Action::WaitUntil)
    }

    /// How long the stream has been silent at `now`: the time since bytes last left, whatever they
    /// were, or since birth (T19). A stopped machine takes no more reports (T9), so that its silence
    /// goes on; one in flight may tell 584 years for a silence that is even longer.
    #[must_use]
    pub fn silence(&self, now: I) -> Duration {
        let now = self.latest.max(now);
        if self.send_pending && self.phase != Phase::Stopped {
            return now.saturating_duration_since(self.latest);
        }
        now.saturating_duration_since(self.idle_since)
            .saturating_add(self.idle_before_send.duration())
    }

    /// Whether a heartbeat was asked for and is still owed: neither reported, nor overtaken by a
    /// real event, nor void because the machine was stopped.
    ///
    /// Whoever had to wait before it could hand a heartbeat over looks here once more (T6, T9).
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        self.phase == Phase::InFlight && !self.send_pending
    }

    /// Whether heartbeats have ended for good (T9, T10, T20).
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.phase == Phase::Stopped
    }

    /// When a heartbeat in flight means a stalled peer (T20).
    fn stalled_at(&self) -> Option<I> {
        if self.phase == Phase::InFlight { self.stall_after.after(self.idle_since) } else { None }
    }

    /// When giving up is to be said (T12).
    fn give_up_at(&self) -> Option<I> {
        self.give_up_after.after(self.last_event?)
    }

    /// The gap at the end of which the next heartbeat is due (T11).
    fn jittered_interval(&self) -> Nanos {
        self.jitter.shorten(self.interval, self.rng)
    }

    /// When the next heartbeat is due, not counting that it may be early.
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

    /// The alarm to set for a deadline and a limit. It may go off a granularity early, and for what may
    /// not be early it is then not too early.
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

    /// Draws what follows from sends that were only recorded.
    fn apply_pending_send(&mut self) {
        if mem::take(&mut self.send_pending) && self.phase != Phase::Stopped {
            self.last_event = Some(self.latest);
            self.restart();
        }
    }

    /// Bytes left at `latest`: the next heartbeat is due a gap later (T3), and one that was in
    /// flight is either out or withdrawn (T6).
    fn restart(&mut self) {
        self.idle_since = self.latest;
        self.idle_before_send = Nanos::ZERO;
        self.phase = Phase::Armed;
    }
}

/// Whether `at` has come at `now`, or comes within `early`.
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
