use super::{Action, Heartbeat, Phase};
use crate::Instant;
use crate::instant::earliest;
use crate::jitter::Draw;
use crate::span::Span;

/// What a machine remembers, apart from what all machines of its configuration share.
///
/// Two things are left out: how long the silence before a heartbeat in flight was, which serves
/// [`Heartbeat::silence`] alone, and the latest time seen where that is later than `since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State<I> {
    pub(crate) since: I,
    pub(crate) real: Option<I>,
    pub(crate) draw: Draw,
    pub(crate) phase: Phase,
}

impl<I: Instant> State<I> {
    /// Whether the time runs towards a heartbeat: none is in flight, and the silence is not given up.
    pub(crate) fn is_counting(&self) -> bool {
        self.real.is_some() && matches!(self.phase, Phase::Prompt | Phase::Armed)
    }
}

impl<I: Instant> Heartbeat<I> {
    pub(crate) fn state(&self) -> State<I> {
        let mut heart = self.clone();
        heart.settle();
        State { since: heart.since, real: heart.real, draw: heart.draw, phase: heart.phase }
    }

    /// A machine of the same configuration as this one, in that state.
    pub(crate) fn resume(&self, state: State<I>) -> Self {
        let State { since, real, draw, phase } = state;
        let silence = Span::ZERO;
        Self { latest: since, draw, phase, sent: false, since, real, silence, ..self.clone() }
    }

    /// The same as [`poll_deadline`](Self::poll_deadline) while a heartbeat is in flight, but giving up is
    /// not taken for heard: it is not the owner who asks.
    pub(crate) fn poll_in_flight(&mut self, now: I) -> Action<I> {
        let real = self.real;
        let action = self.poll_deadline(now);
        if action == Action::GiveUp {
            self.real = real;
        }
        action
    }

    /// When to ask again, after a question, if facts may come meanwhile that are reported but not
    /// followed by a question.
    ///
    /// Such facts move a deadline away, but where there is none, as in flight, they bring one: at the
    /// earliest a gap from now.
    pub(crate) fn look_again(&self) -> Option<I> {
        if self.phase == Phase::Stopped {
            return None;
        }
        let gap = self.gap();
        let rearmed = if self.state().is_counting() {
            None
        } else {
            gap.min(self.give_up_after).after(self.latest)
        };
        let give_up_at = self.give_up_at().filter(|&at| at > self.latest); // or its owner knows
        let limit = earliest(self.stalled_at(), give_up_at);
        earliest(rearmed, self.alarm(self.deadline(gap), self.early(gap), limit))
    }
}
