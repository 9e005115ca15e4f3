use crate::compact_instant::CompactInstant;

/// How many slots a wheel has: enough for 64ths of an interval, and as many again for intervals of
/// less than 128 ns, which have longer 64ths.
pub(super) const SLOTS: u32 = 128;

/// Which of the slots of a ring have members, as a calendar of equal slots of time. Who is in them is
/// kept elsewhere ([`SlotLists`](super::slots::SlotLists)).
///
/// A slot is up once its first instant has come, so members that are filed by their deadline come up
/// early by less than a slot and never late. The ring reaches [`SLOTS`] - 1 slots into the future. A
/// slot that is up stays so until it is emptied; that is told apart from what its place in the ring
/// means next.
#[derive(Debug)]
pub(super) struct Wheel {
    /// How long a slot is, in nanoseconds.
    width: u64,
    /// The slot of the latest time seen, counted from the epoch.
    current: u64,
    /// The first instant after the current slot.
    end: u64,
    /// The places with members, a bit for each.
    occupied: u128,
    /// Those of them that are up.
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

    /// Lets the time pass.
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

    /// The place for a deadline: that of its slot, but none that has begun, and none that lies too far
    /// in the future.
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

    /// A place that is up; the first to be so, unless it was long ago.
    pub(super) fn first_due(&self) -> Option<u32> {
        let first = slot_index(self.current.saturating_add(1));
        let after = self.due.rotate_right(first).trailing_zeros();
        (self.due != 0).then(|| first.wrapping_add(after) % SLOTS)
    }

    /// When the next slot with members is up; what was over before the time ends is never.
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

/// Where in the ring a slot is.
#[expect(clippy::cast_possible_truncation, reason = "the rest of a division by 128 is meant")]
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
    fn a_slot_is_up_when_it_begins() {
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
    fn what_has_begun_or_lies_too_far_is_filed_next_to_that() {
        let mut wheel = Wheel::new(10, at(1005));
        let near = insert(&mut wheel, 0);
        assert_eq!(wheel.next(), Some(at(1010)));
        wheel.clear(near);
        insert(&mut wheel, 1_000_000);
        assert_eq!(wheel.next(), Some(at(1000 + 1270)));
    }

    #[test]
    fn the_first_to_be_up_is_told_first_all_around_the_ring() {
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
    fn after_a_long_time_all_is_up_and_the_ring_is_usable() {
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
    fn t8_what_begins_when_time_has_ended_is_never_up() {
        let mut wheel = Wheel::new(1 << 58, at(0));
        wheel.advance(CompactInstant::MAX);
        insert(&mut wheel, u64::MAX);
        assert_eq!(wheel.next(), None);
    }
}
