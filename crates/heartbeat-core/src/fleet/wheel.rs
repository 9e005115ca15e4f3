use crate::tick::Tick;

/// How many slots a wheel has: enough for 64ths of an interval, and as many again for intervals of
/// less than 128 ns, which have longer 64ths.
pub(super) const SLOTS: u32 = 128;

/// Which of the slots of a ring have members, as a calendar of equal slots of time. Who is in them is
/// kept elsewhere ([`Lines`](super::lines::Lines)).
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
    taken: u128,
    /// Those of them that are up.
    up: u128,
}

impl Wheel {
    pub(super) fn new(width: u64, now: Tick) -> Self {
        let width = width.max(1);
        let mut wheel = Self { width, current: 0, end: 0, taken: 0, up: 0 };
        wheel.turn(now);
        wheel
    }

    pub(super) fn width(&self) -> u64 {
        self.width
    }

    /// Lets the time pass.
    pub(super) fn turn(&mut self, now: Tick) {
        if now.nanos() < self.end {
            return;
        }
        let slot = self.slot(now);
        let passed = slot.saturating_sub(self.current);
        let ring = match u32::try_from(passed) {
            Ok(passed @ 0..SLOTS) => {
                let ring = (1u128 << passed).saturating_sub(1);
                ring.rotate_left(place(self.current.saturating_add(1)))
            }
            _ => u128::MAX,
        };
        self.up |= self.taken & ring;
        self.current = slot;
        self.end = slot.saturating_add(1).saturating_mul(self.width);
    }

    fn slot(&self, at: Tick) -> u64 {
        #[expect(clippy::arithmetic_side_effects, reason = "the width is at least 1")]
        let slot = at.nanos() / self.width;
        slot
    }

    /// The place for a deadline: that of its slot, but none that has begun, and none that lies too far
    /// in the future.
    pub(super) fn place_for(&self, at: Tick) -> u32 {
        let next = self.current.saturating_add(1);
        let furthest = self.current.saturating_add(u64::from(SLOTS - 1));
        place(self.slot(at).clamp(next, furthest))
    }

    pub(super) fn take(&mut self, place: u32) {
        self.taken |= 1 << place;
    }

    pub(super) fn clear(&mut self, place: u32) {
        self.taken &= !(1 << place);
        self.up &= !(1 << place);
    }

    pub(super) fn is_up(&self, place: u32) -> bool {
        self.up & 1 << place != 0
    }

    /// A place that is up; the first to be so, unless it was long ago.
    pub(super) fn first_up(&self) -> Option<u32> {
        let first = place(self.current.saturating_add(1));
        let after = self.up.rotate_right(first).trailing_zeros();
        (self.up != 0).then(|| first.wrapping_add(after) % SLOTS)
    }

    /// When the next slot with members is up; what was over before the time ends is never.
    pub(super) fn next(&self) -> Option<Tick> {
        let waiting = self.taken & !self.up;
        if waiting == 0 {
            return None;
        }
        let next = self.current.saturating_add(1);
        let after = waiting.rotate_right(place(next)).trailing_zeros();
        let start = next.checked_add(after.into())?.checked_mul(self.width)?;
        Some(Tick::new(start)).filter(|start| *start < Tick::MAX)
    }
}

/// Where in the ring a slot is.
#[expect(clippy::cast_possible_truncation, reason = "the rest of a division by 128 is meant")]
fn place(slot: u64) -> u32 {
    slot as u32 % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Tick {
        Tick::new(nanos)
    }

    fn file(wheel: &mut Wheel, deadline: u64) -> u32 {
        let place = wheel.place_for(at(deadline));
        wheel.take(place);
        place
    }

    #[test]
    fn a_slot_is_up_when_it_begins() {
        let mut wheel = Wheel::new(10, at(5));
        let place = file(&mut wheel, 39);
        assert_eq!(wheel.next(), Some(at(30)));
        wheel.turn(at(29));
        assert_eq!(wheel.first_up(), None);
        wheel.turn(at(30));
        assert_eq!((wheel.first_up(), wheel.next()), (Some(place), None));
        assert!(wheel.is_up(place));
        wheel.clear(place);
        assert_eq!(wheel.first_up(), None);
    }

    #[test]
    fn what_has_begun_or_lies_too_far_is_filed_next_to_that() {
        let mut wheel = Wheel::new(10, at(1005));
        let near = file(&mut wheel, 0);
        assert_eq!(wheel.next(), Some(at(1010)));
        wheel.clear(near);
        file(&mut wheel, 1_000_000);
        assert_eq!(wheel.next(), Some(at(1000 + 1270)));
    }

    #[test]
    fn the_first_to_be_up_is_told_first_all_around_the_ring() {
        for start in 0..300 {
            let mut wheel = Wheel::new(1, at(start));
            let places = [1, 64, 127].map(|after| file(&mut wheel, start + after));
            wheel.turn(at(start + 127));
            for place in places {
                assert_eq!(wheel.first_up(), Some(place), "from {start}");
                wheel.clear(place);
            }
        }
    }

    #[test]
    fn after_a_long_time_all_is_up_and_the_ring_is_usable() {
        for passed in [128, 129, 1000, u64::from(u32::MAX) + 1] {
            let mut wheel = Wheel::new(1, at(0));
            let old = [1, 127].map(|deadline| file(&mut wheel, deadline));
            wheel.turn(at(passed));
            let new = file(&mut wheel, passed + 2);
            assert!(old.iter().all(|&place| wheel.is_up(place)), "{passed}");
            assert!(old.contains(&new) || wheel.next() == Some(at(passed + 2)), "{passed}");
        }
    }

    #[test]
    fn t8_what_begins_when_time_has_ended_is_never_up() {
        let mut wheel = Wheel::new(1 << 58, at(0));
        wheel.turn(Tick::MAX);
        file(&mut wheel, u64::MAX);
        assert_eq!(wheel.next(), None);
    }
}
