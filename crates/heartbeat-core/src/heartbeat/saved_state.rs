use super::{Action, Heartbeat, Phase};
use crate::Instant;
use crate::instant::earliest;
use crate::jitter::XorShift32;
use crate::nanos::Nanos;

/// What a machine remembers, apart from what all machines of its configuration share.
///
/// Two things are left out: how long the silence before a heartbeat in flight was, which serves
/// [`Heartbeat::silence`] alone, and the latest time seen where that is later than `since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SavedState<I> {
    pub(crate) idle_since: I,
    pub(crate) last_event: Option<I>,
    pub(crate) rng: XorShift32,
    pub(crate) phase: Phase,
}

impl<I: Instant> SavedState<I> {
    /// Whether the time runs towards a heartbeat: none is in flight, and the silence is not given up.
    pub(crate) fn is_armed(&self) -> bool {
        self.last_event.is_some() && matches!(self.phase, Phase::ImmediateFirst | Phase::Armed)
    }
}

impl<I: Instant> Heartbeat<I> {
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

    /// A machine of the same configuration as this one, in that state.
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

    /// The same as [`poll_deadline`](Self::poll_deadline) while a heartbeat is in flight, but giving up is
    /// not taken for heard: it is not the owner who asks.
    pub(crate) fn poll_in_flight(&mut self, now: I) -> Action<I> {
        let last_event = self.last_event;
        let action = self.poll_deadline(now);
        if action == Action::GiveUp {
            self.last_event = last_event;
        }
        action
    }

    /// When to ask again, after a question, if facts may come meanwhile that are reported but not
    /// followed by a question.
    ///
    /// Such facts move a deadline away, but where there is none, as in flight, they bring one: at the
    /// earliest a gap from now.
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
        let give_up_at = self.give_up_at().filter(|&at| at > self.latest); // or its owner knows
        let limit = earliest(self.stalled_at(), give_up_at);
        earliest(rearmed, self.wake_at(self.deadline(gap), self.tolerance(gap), limit))
    }
}
