use core::fmt;
use core::num::NonZero;

use crate::compact_instant::CompactInstant;
use crate::heartbeat::{Phase, SavedState};
use crate::jitter::XorShift32;

/// Names a configuration of the set.
pub(super) type ConfigId = u16;

/// The data of a member, except its value: the state of its heartbeat, its links, and its generation. 28
/// bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(4))] // no padding to a multiple of 8; the fields of a report are adjacent
pub(super) struct Node {
    pub(super) prev: ListLink,
    pub(super) next: ListLink,
    /// The instant, and in the lowest bits phase and giving up.
    idle_since: u64,
    /// The time from the last event to `idle_since`, in units of the [`Resolution`].
    event_age: u32,
    rng: XorShift32,
    /// Incremented each time the entry is freed.
    pub(super) generation: NonZero<u16>,
    pub(super) config: ConfigId,
}

const _: () = assert!(size_of::<Node>() == 28 && align_of::<Node>() == 4);

/// The number of bits below the instant in `idle_since`.
const FLAGS: u32 = u64::BITS - CompactInstant::BITS;
const GAVE_UP: u64 = 0b100;

impl Node {
    /// A free entry, linked to the next one.
    pub(super) fn free(generation: NonZero<u16>, next: ListLink) -> Self {
        let (prev, rng) = (ListLink::UNLINKED, XorShift32::seed(0));
        Self { idle_since: 0, event_age: 0, rng, prev, next, generation, config: 0 }
    }

    /// A new member in this entry, in no list.
    pub(super) fn occupied(&self, config: ConfigId) -> Self {
        Self { config, next: ListLink::UNLINKED, ..*self }
    }

    pub(super) fn state(&self, resolution: Resolution) -> SavedState<CompactInstant> {
        let since = CompactInstant::new(self.idle_since >> FLAGS);
        let phase = match self.idle_since & 0b11 {
            0 => Phase::ImmediateFirst,
            1 => Phase::Armed,
            2 => Phase::InFlight,
            _ => Phase::Stopped,
        };
        let gave_up = self.idle_since & GAVE_UP != 0;
        let event = (!gave_up).then(|| resolution.before(since, self.event_age));
        SavedState { idle_since: since, last_event: event, rng: self.rng, phase }
    }

    pub(super) fn set_state(&mut self, state: SavedState<CompactInstant>, resolution: Resolution) {
        let phase = match state.phase {
            Phase::ImmediateFirst => 0,
            Phase::Armed => 1,
            Phase::InFlight => 2,
            Phase::Stopped => 3,
        };
        let gave_up = if state.last_event.is_none() { GAVE_UP } else { 0 };
        self.idle_since = state.idle_since.nanos() << FLAGS | gave_up | phase;
        self.event_age =
            state.last_event.map_or(0, |event| resolution.between(event, state.idle_since));
        self.rng = state.rng;
    }
}

/// The unit in which the time since the last event is stored, so that it fits into 4 bytes: a power of
/// two of nanoseconds, at most a 2^30th of `give_up_after` (T12).
///
/// The instant of the event is rounded up to a whole unit since the epoch, once: giving up is not
/// early, and does not become later with each heartbeat. A time too long to be stored is longer than
/// `give_up_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resolution {
    shift: u32,
}

impl Resolution {
    pub(super) fn of(give_up_after: u64) -> Self {
        Self { shift: 33u32.saturating_sub(give_up_after.leading_zeros()) }
    }

    fn round_up(self, instant: CompactInstant) -> u64 {
        let rest = (1u64 << self.shift).saturating_sub(1);
        instant.nanos().saturating_add(rest) >> self.shift
    }

    fn between(self, earlier: CompactInstant, later: CompactInstant) -> u32 {
        let units = self.round_up(later).saturating_sub(self.round_up(earlier));
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    fn before(self, later: CompactInstant, units: u32) -> CompactInstant {
        CompactInstant::new(self.round_up(later).saturating_sub(units.into()) << self.shift)
    }
}

/// A link in a list, which is a ring: to a member, or to the head of the list, which precedes the first
/// and follows the last member. In a free entry, the offset of the next free entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct ListLink(u32);

/// The target of a [`ListLink`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkTarget {
    Member(u32),
    Head(u32),
}

impl ListLink {
    /// In no list.
    pub(super) const UNLINKED: Self = Self(u32::MAX);
    const HEAD_BIT: u32 = 1 << 31;

    pub(super) const fn member(index: u32) -> Self {
        debug_assert!(index < Self::HEAD_BIT, "the arena has fewer entries than that");
        Self(index)
    }

    pub(super) const fn head(number: u32) -> Self {
        Self(Self::HEAD_BIT | number)
    }

    /// A link to another free entry of the same segment.
    pub(super) const fn free_entry(offset: u16) -> Self {
        Self(offset as u32)
    }

    /// The offset given to [`free_entry`](Self::free_entry).
    #[expect(clippy::cast_possible_truncation, reason = "created from 16 bits")]
    pub(super) const fn as_offset(self) -> u16 {
        self.0 as u16
    }

    pub(super) const fn target(self) -> LinkTarget {
        if self.0 & Self::HEAD_BIT == 0 {
            LinkTarget::Member(self.0)
        } else {
            LinkTarget::Head(self.0 & !Self::HEAD_BIT)
        }
    }
}

impl fmt::Debug for ListLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNLINKED { f.write_str("Unlinked") } else { self.target().fmt(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000_000_000;

    #[test]
    fn a_state_is_saved_and_restored() {
        let mut node = Node::free(NonZero::<u16>::MIN, ListLink::UNLINKED);
        for phase in [Phase::ImmediateFirst, Phase::Armed, Phase::InFlight, Phase::Stopped] {
            for (since, event) in [(0, Some(0)), (9, Some(9)), (9, Some(4)), (9, None)] {
                let event = event.map(CompactInstant::new);
                let state = SavedState {
                    idle_since: CompactInstant::new(since),
                    last_event: event,
                    rng: XorShift32::seed(7),
                    phase,
                };
                node.set_state(state, Resolution::of(1_000_000_000));
                assert_eq!(node.state(Resolution::of(1_000_000_000)), state);
            }
        }
        let last = SavedState {
            idle_since: CompactInstant::MAX,
            last_event: Some(CompactInstant::MAX),
            rng: XorShift32::seed(7),
            phase: Phase::Armed,
        };
        node.set_state(last, Resolution::of(1));
        assert_eq!(node.state(Resolution::of(1)), last);
    }

    #[test]
    fn t12_giving_up_is_never_early_and_late_by_a_2_to_the_30th_at_most() {
        for limit in [1, 5, 1_000_000_000, HOUR, 1000 * HOUR, u64::MAX - 1] {
            let resolution = Resolution::of(limit);
            assert!(1u64 << resolution.shift <= (limit >> 30).max(1), "{limit}");
            for (event, silence) in [(0, 0), (1, 0), (12_345, 1), (HOUR + 1, limit / 3), (7, limit)]
            {
                let (mut found, mut since) =
                    (CompactInstant::new(event), CompactInstant::new(event));
                for _ in 0..10 {
                    found = resolution.before(since, resolution.between(found, since));
                    let late = found.nanos().checked_sub(event).expect("not early");
                    assert!(late < 1 << resolution.shift, "{limit} {event}: {late}, not growing");
                    since = CompactInstant::new(since.nanos().saturating_add(silence / 10));
                }
            }
        }
    }

    #[test]
    fn t12_a_time_too_long_to_store_is_longer_than_give_up_after() {
        for limit in [1, HOUR] {
            let resolution = Resolution::of(limit);
            let event = resolution.before(
                CompactInstant::MAX,
                resolution.between(CompactInstant::ZERO, CompactInstant::MAX),
            );
            assert!(CompactInstant::MAX.nanos() - event.nanos() > limit, "{limit}");
        }
    }
}
