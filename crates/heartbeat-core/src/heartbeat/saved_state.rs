use super::{Action, Heartbeat, Phase};
use crate::Instant;
use crate::instant::earliest;
use crate::jitter::XorShift32;
use crate::nanos::Nanos;

/// The state of a [`Heartbeat`] without the fields that all heartbeats of its configuration share.
///
/// Two values are not saved: the silence before a heartbeat in flight, which only [`Heartbeat::idle_time`]
/// uses, and the latest time seen, if that is later than `idle_since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SavedState<I> {
    pub(crate) idle_since: I,
    pub(crate) last_event: Option<I>,
    pub(crate) rng: XorShift32,
    pub(crate) phase: Phase,
}

impl<I: Instant> SavedState<I> {
    /// Whether a deadline is set: no heartbeat is in flight, and heartbeats have not given up.
    pub(crate) fn is_armed(&self) -> bool {
        self.last_event.is_some() && matches!(self.phase, Phase::ImmediateFirst | Phase::Armed)
    }
}

impl<I: Instant> Heartbeat<I> {
    /// The state, with a pending send applied.
    pub(crate) fn save(&self) -> SavedState<I> {
        let mut heartbeat = self.clone();
        heartbeat.apply_pending_send();
        SavedState {
            idle_since: heartbeat.idle_since,
            last_event: heartbeat.last_event,
            rng: heartbeat.rng,
            phase: heartbeat.phase,
        }
    }

    /// A heartbeat with the configuration of `self` and the given state.
    pub(crate) fn restore(&self, state: SavedState<I>) -> Self {
        let SavedState { idle_since, last_event, rng, phase } = state;
        Self {
            latest: idle_since,
            rng,
            phase,
            send_pending: false,
            idle_since,
            last_event,
            idle_before_send: Nanos::ZERO,
            ..self.clone()
        }
    }

    /// Like [`poll_deadline`](Self::poll_deadline) while a heartbeat is in flight, but giving up is not
    /// marked as returned: the owner of the stream has yet to see it.
    pub(crate) fn poll_in_flight(&mut self, now: I) -> Action<I> {
        let last_event = self.last_event;
        let action = self.poll_deadline(now);
        if action == Action::GiveUp {
            self.last_event = last_event;
        }
        action
    }

    /// When to poll again after a poll, if reports may arrive without a poll after them.
    ///
    /// Such a report moves a deadline to a later instant. If there is no deadline, because a heartbeat
    /// is in flight for example, the report creates one: at the earliest a gap from now.
    pub(crate) fn next_wakeup(&self) -> Option<I> {
        if self.phase == Phase::Stopped {
            return None;
        }
        let gap = self.jittered_interval();
        let rearmed = if self.save().is_armed() {
            None
        } else {
            gap.min(self.give_up_after).after(self.latest)
        };
        let give_up_at = self.give_up_at().filter(|&at| at > self.latest); // otherwise the owner knows
        let limit = earliest(self.stalled_at(), give_up_at);
        earliest(rearmed, self.wake_at(self.deadline(gap), self.tolerance(gap), limit))
    }
}
