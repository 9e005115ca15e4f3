use core::fmt;
use core::num::NonZero;

use crate::heartbeat::{Phase, State};
use crate::jitter::Draw;
use crate::tick::Tick;

/// What is kept of a member beside its value: the state of its machine, where it stands in line, and
/// which member it is. 28 bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(4))] // not padded to a multiple of 8; what a report touches lies together
pub(super) struct Node {
    pub(super) prev: Link,
    pub(super) next: Link,
    /// `since`, and in the lowest bits what else the machine remembers.
    since: u64,
    /// How long before `since` the last real event was, in units of the class.
    real: u32,
    draw: Draw,
    /// How many members were here before.
    pub(super) generation: NonZero<u16>,
    pub(super) class: u16,
}

const _: () = assert!(size_of::<Node>() == 28 && align_of::<Node>() == 4);

/// The bits below `since`.
const FLAGS: u32 = u64::BITS - Tick::BITS;
const GAVE_UP: u64 = 0b100;

impl Node {
    /// A place that nobody has taken yet.
    pub(super) fn vacant(generation: NonZero<u16>, next: Link) -> Self {
        let (prev, draw) = (Link::NOWHERE, Draw::first(0));
        Self { since: 0, real: 0, draw, prev, next, generation, class: 0 }
    }

    /// A member in this place, in no line yet.
    pub(super) fn taken(&self, class: u16) -> Self {
        Self { class, next: Link::NOWHERE, ..*self }
    }

    pub(super) fn state(&self, unit: Unit) -> State<Tick> {
        let since = Tick::new(self.since >> FLAGS);
        let phase = match self.since & 0b11 {
            0 => Phase::Prompt,
            1 => Phase::Armed,
            2 => Phase::InFlight,
            _ => Phase::Stopped,
        };
        let gave_up = self.since & GAVE_UP != 0;
        let real = (!gave_up).then(|| unit.before(since, self.real));
        State { since, real, draw: self.draw, phase }
    }

    pub(super) fn set_state(&mut self, state: State<Tick>, unit: Unit) {
        let phase = match state.phase {
            Phase::Prompt => 0,
            Phase::Armed => 1,
            Phase::InFlight => 2,
            Phase::Stopped => 3,
        };
        let gave_up = if state.real.is_none() { GAVE_UP } else { 0 };
        self.since = state.since.nanos() << FLAGS | gave_up | phase;
        self.real = state.real.map_or(0, |real| unit.between(real, state.since));
        self.draw = state.draw;
    }
}

/// In what the time since the last real event is counted, so that it needs 4 bytes: a power of two of
/// nanoseconds, at most a 2^30th of the time after which the silence is given up (T12).
///
/// An instant is rounded up to a whole unit since the epoch, once: giving up is never early, and it
/// does not become later with each heartbeat. What is too long ago to be counted was given up before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    shift: u32,
}

impl Unit {
    pub(super) fn of(give_up_after: u64) -> Self {
        Self { shift: 33u32.saturating_sub(give_up_after.leading_zeros()) }
    }

    fn whole(self, tick: Tick) -> u64 {
        let rest = (1u64 << self.shift).saturating_sub(1);
        tick.nanos().saturating_add(rest) >> self.shift
    }

    fn between(self, earlier: Tick, later: Tick) -> u32 {
        let units = self.whole(later).saturating_sub(self.whole(earlier));
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    fn before(self, later: Tick, units: u32) -> Tick {
        Tick::new(self.whole(later).saturating_sub(units.into()) << self.shift)
    }
}

/// A neighbour in a line, which is a ring: a member, or the line itself, which is before the first and
/// after the last one. Among vacant places, the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Link(u32);

/// Whom a [`Link`] leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Member(u32),
    Line(u32),
}

impl Link {
    /// Not in line.
    pub(super) const NOWHERE: Self = Self(u32::MAX);
    const LINE: u32 = 1 << 31;

    pub(super) const fn member(index: u32) -> Self {
        debug_assert!(index < Self::LINE, "the arena has no more places than that");
        Self(index)
    }

    pub(super) const fn line(number: u32) -> Self {
        Self(Self::LINE | number)
    }

    /// Where another place of the same segment is vacant.
    pub(super) const fn place(offset: u16) -> Self {
        Self(offset as u32)
    }

    /// The place that the link was made for.
    #[expect(clippy::cast_possible_truncation, reason = "it was made from 16 bits")]
    pub(super) const fn as_place(self) -> u16 {
        self.0 as u16
    }

    pub(super) const fn target(self) -> Target {
        if self.0 & Self::LINE == 0 {
            Target::Member(self.0)
        } else {
            Target::Line(self.0 & !Self::LINE)
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NOWHERE { f.write_str("Nowhere") } else { self.target().fmt(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000_000_000;

    #[test]
    fn a_state_is_found_again() {
        let mut node = Node::vacant(NonZero::<u16>::MIN, Link::NOWHERE);
        for phase in [Phase::Prompt, Phase::Armed, Phase::InFlight, Phase::Stopped] {
            for (since, real) in [(0, Some(0)), (9, Some(9)), (9, Some(4)), (9, None)] {
                let real = real.map(Tick::new);
                let state = State { since: Tick::new(since), real, draw: Draw::first(7), phase };
                node.set_state(state, Unit::of(1_000_000_000));
                assert_eq!(node.state(Unit::of(1_000_000_000)), state);
            }
        }
        let last = State {
            since: Tick::MAX,
            real: Some(Tick::MAX),
            draw: Draw::first(7),
            phase: Phase::Armed,
        };
        node.set_state(last, Unit::of(1));
        assert_eq!(node.state(Unit::of(1)), last);
    }

    #[test]
    fn t12_giving_up_is_never_early_and_late_by_a_2_to_the_30th_at_most() {
        for limit in [1, 5, 1_000_000_000, HOUR, 1000 * HOUR, u64::MAX - 1] {
            let unit = Unit::of(limit);
            assert!(1u64 << unit.shift <= (limit >> 30).max(1), "{limit}");
            for (real, silence) in [(0, 0), (1, 0), (12_345, 1), (HOUR + 1, limit / 3), (7, limit)]
            {
                let (mut found, mut since) = (Tick::new(real), Tick::new(real));
                for _ in 0..10 {
                    found = unit.before(since, unit.between(found, since));
                    let late = found.nanos().checked_sub(real).expect("not early");
                    assert!(late < 1 << unit.shift, "{limit} {real}: {late} once and for all");
                    since = Tick::new(since.nanos().saturating_add(silence / 10));
                }
            }
        }
    }

    #[test]
    fn t12_what_is_too_long_ago_was_given_up_long_ago() {
        for limit in [1, HOUR] {
            let unit = Unit::of(limit);
            let real = unit.before(Tick::MAX, unit.between(Tick::ZERO, Tick::MAX));
            assert!(Tick::MAX.nanos() - real.nanos() > limit, "{limit}");
        }
    }
}
