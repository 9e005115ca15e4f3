use crate::compact_instant::CompactInstant;

/// The number of slots of a wheel: twice the 64 slots of an interval, because rounding makes the slots of
/// intervals below 128 ns relatively narrow.
pub(super) const SLOTS: u32 = 128;

/// A timer wheel: records which slots of a ring have members. The members themselves are in
/// [`SlotLists`](super::slots::SlotLists).
///
/// A slot is due once it starts, so its members are early by less than a slot, and never late. The ring
/// reaches [`SLOTS`] - 1 slots into the future. A due slot stays due until it is cleared, even if its
/// position in the ring stands for a later slot by then.
#[derive(Debug)]
pub(super) struct Wheel {
    /// The width of a slot in nanoseconds.
    width: u64,
    /// The number of the slot of the latest time seen, counted from the epoch.
    current: u64,
    /// The first instant after the current slot.
    end: u64,
    /// The slots with members, one bit each.
    occupied: u128,
    /// The slots with members that are due.
    due: u128,
}

impl Wheel {
    pub(super) fn new(width: u64, now: CompactInstant) -> Self {
        let width = width.max(1);
        let mut wheel = Self { width, current: 0, end: 0, occupied: 0, due: 0 };
        wheel.advance(now);
        wheel
    }

    pub(super) fn width(&self) -> u64 {
        self.width
    }

    /// Marks the slots that have started by `now` as due.
    pub(super) fn advance(&mut self, now: CompactInstant) {
        if now.nanos() < self.end {
            return;
        }
        let slot = self.slot_number(now);
        let passed = slot.saturating_sub(self.current);
        let ring = match u32::try_from(passed) {
            Ok(passed @ 0..SLOTS) => {
                let ring = (1u128 << passed).saturating_sub(1);
                ring.rotate_left(slot_index(self.current.saturating_add(1)))
            }
            _ => u128::MAX,
        };
        self.due |= self.occupied & ring;
        self.current = slot;
        self.end = slot.saturating_add(1).saturating_mul(self.width);
    }

    fn slot_number(&self, at: CompactInstant) -> u64 {
        #[expect(clippy::arithmetic_side_effects, reason = "the width is at least 1")]
        let slot = at.nanos() / self.width;
        slot
    }

    /// The index of the slot for a deadline, clamped to the slots that have not started and are within
    /// reach.
    pub(super) fn slot_for(&self, at: CompactInstant) -> u32 {
        let next = self.current.saturating_add(1);
        let furthest = self.current.saturating_add(u64::from(SLOTS - 1));
        slot_index(self.slot_number(at).clamp(next, furthest))
    }

    pub(super) fn mark(&mut self, index: u32) {
        self.occupied |= 1 << index;
    }

    pub(super) fn clear(&mut self, index: u32) {
        self.occupied &= !(1 << index);
        self.due &= !(1 << index);
    }

    pub(super) fn is_due(&self, index: u32) -> bool {
        self.due & 1 << index != 0
    }

    /// The index of a due slot: the earliest one, unless the wheel was not advanced for a revolution.
    pub(super) fn first_due(&self) -> Option<u32> {
        let first = slot_index(self.current.saturating_add(1));
        let after = self.due.rotate_right(first).trailing_zeros();
        (self.due != 0).then(|| first.wrapping_add(after) % SLOTS)
    }

    /// When the next slot with members starts. `None` if the clock ends before that (T8).
    pub(super) fn next(&self) -> Option<CompactInstant> {
        let waiting = self.occupied & !self.due;
        if waiting == 0 {
            return None;
        }
        let next = self.current.saturating_add(1);
        let after = waiting.rotate_right(slot_index(next)).trailing_zeros();
        let start = next.checked_add(after.into())?.checked_mul(self.width)?;
        Some(CompactInstant::new(start)).filter(|start| *start < CompactInstant::MAX)
    }
}

/// The position of a slot in the ring.
#[expect(clippy::cast_possible_truncation, reason = "only the remainder is used")]
fn slot_index(number: u64) -> u32 {
    number as u32 % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> CompactInstant {
        CompactInstant::new(nanos)
    }

    fn insert(wheel: &mut Wheel, deadline: u64) -> u32 {
        let index = wheel.slot_for(at(deadline));
        wheel.mark(index);
        index
    }

    #[test]
    fn a_slot_is_due_when_it_starts() {
        let mut wheel = Wheel::new(10, at(5));
        let index = insert(&mut wheel, 39);
        assert_eq!(wheel.next(), Some(at(30)));
        wheel.advance(at(29));
        assert_eq!(wheel.first_due(), None);
        wheel.advance(at(30));
        assert_eq!((wheel.first_due(), wheel.next()), (Some(index), None));
        assert!(wheel.is_due(index));
        wheel.clear(index);
        assert_eq!(wheel.first_due(), None);
    }

    #[test]
    fn a_deadline_out_of_reach_is_clamped() {
        let mut wheel = Wheel::new(10, at(1005));
        let near = insert(&mut wheel, 0);
        assert_eq!(wheel.next(), Some(at(1010)));
        wheel.clear(near);
        insert(&mut wheel, 1_000_000);
        assert_eq!(wheel.next(), Some(at(1000 + 1270)));
    }

    #[test]
    fn the_earliest_due_slot_comes_first_all_around_the_ring() {
        for start in 0..300 {
            let mut wheel = Wheel::new(1, at(start));
            let indexes = [1, 64, 127].map(|after| insert(&mut wheel, start + after));
            wheel.advance(at(start + 127));
            for index in indexes {
                assert_eq!(wheel.first_due(), Some(index), "from {start}");
                wheel.clear(index);
            }
        }
    }

    #[test]
    fn after_a_long_time_all_slots_are_due_and_the_ring_is_usable() {
        for passed in [128, 129, 1000, u64::from(u32::MAX) + 1] {
            let mut wheel = Wheel::new(1, at(0));
            let old = [1, 127].map(|deadline| insert(&mut wheel, deadline));
            wheel.advance(at(passed));
            let new = insert(&mut wheel, passed + 2);
            assert!(old.iter().all(|&index| wheel.is_due(index)), "{passed}");
            assert!(old.contains(&new) || wheel.next() == Some(at(passed + 2)), "{passed}");
        }
    }

    #[test]
    fn a_due_slot_stays_due_until_it_is_cleared() {
        let mut wheel = Wheel::new(1, at(0));
        let index = insert(&mut wheel, 1);
        for now in [1, 2, 129, 130, 257, 1000] {
            wheel.advance(at(now));
            assert_eq!(wheel.first_due(), Some(index), "{now}");
        }
        wheel.clear(index);
        assert!(!wheel.is_due(index));
    }

    #[test]
    fn t8_a_slot_after_the_end_of_the_clock_is_never_due() {
        let mut wheel = Wheel::new(1 << 58, at(0));
        wheel.advance(CompactInstant::MAX);
        insert(&mut wheel, u64::MAX);
        assert_eq!(wheel.next(), None);
    }
}
