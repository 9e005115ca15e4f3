use alloc::vec::Vec;

use super::arena::Arena;
use super::node::{LinkTarget, ListLink};
use super::wheel::{SLOTS, Wheel};
use crate::compact_instant::CompactInstant;
use crate::instant::earliest;

/// The lists that members wait in: one for each slot of each wheel, and one for the members that are due.
///
/// Each list is a ring through its members, so unlinking one accesses at most two neighbors.
pub(super) struct SlotLists {
    due: ListHead,
    wheels: Vec<SharedWheel>,
    /// The lists of all slots, one wheel after the other.
    heads: Vec<ListHead>,
}

/// A wheel, and the number of configurations that use it.
struct SharedWheel {
    wheel: Wheel,
    configs: u32,
}

/// The first and last member of a list; links to the list itself if it is empty.
#[derive(Debug, Clone, Copy)]
struct ListHead {
    first: ListLink,
    last: ListLink,
}

/// The list of the members that are due. The other lists are numbered by wheel and slot.
const DUE: u32 = u32::MAX >> 2;

impl SlotLists {
    pub(super) const fn new() -> Self {
        Self { due: ListHead::of(DUE), wheels: Vec::new(), heads: Vec::new() }
    }

    /// A wheel for a configuration whose members may be early by less than `width`. Its slots are at
    /// most that wide.
    ///
    /// The first wheel has exactly that width. All further widths between two powers of two share a wheel, and the slots of
    /// these wheels start at the same instants. [`HeartbeatSet`](super::HeartbeatSet#precision) says how many wake-ups this
    /// causes. There are never more than 65 wheels to look at.
    pub(super) fn acquire_wheel(&mut self, width: u64, now: CompactInstant) -> u8 {
        let width = width.max(1);
        let number = self.find_wheel(width).unwrap_or_else(|| match self.wheels.first_mut() {
            None => self.push_wheel(width, now),
            Some(first) if first.configs == 0 => {
                first.wheel = Wheel::new(width, now);
                0
            }
            Some(_) => {
                let common = 1 << width.ilog2();
                self.find_wheel(common).unwrap_or_else(|| self.push_wheel(common, now))
            }
        });
        let shared = &mut self.wheels[number];
        shared.configs = shared.configs.saturating_add(1);
        debug_assert!(number <= 64, "one shared wheel for each power of two");
        u8::try_from(number).unwrap_or(u8::MAX)
    }

    fn find_wheel(&self, width: u64) -> Option<usize> {
        self.wheels.iter().position(|shared| shared.wheel.width() == width)
    }

    fn push_wheel(&mut self, width: u64, now: CompactInstant) -> usize {
        let number = self.wheels.len();
        self.wheels.push(SharedWheel { wheel: Wheel::new(width, now), configs: 0 });
        let lists = (0..).skip(self.heads.len()).take(SLOTS as usize);
        self.heads.extend(lists.map(ListHead::of));
        number
    }

    /// Counts one configuration less. After the last one, the slots of the wheel are empty.
    pub(super) fn release_wheel(&mut self, wheel: u8) {
        let shared = &mut self.wheels[usize::from(wheel)];
        shared.configs = shared.configs.saturating_sub(1);
    }

    pub(super) fn width(&self, wheel: u8) -> u64 {
        self.wheels[usize::from(wheel)].wheel.width()
    }

    /// When to look for due members: `now` if one is due.
    pub(super) fn next(&self, now: CompactInstant) -> Option<CompactInstant> {
        if !self.due.is_empty(DUE) {
            return Some(now);
        }
        self.wheels.iter().fold(None, |next, SharedWheel { wheel, .. }| {
            let due = wheel.first_due().map(|_| now);
            earliest(next, earliest(due, wheel.next()))
        })
    }

    /// Unlinks and returns one member that is due at `now`.
    pub(super) fn pop_due<T>(&mut self, arena: &mut Arena<T>, now: CompactInstant) -> Option<u32> {
        if self.due.is_empty(DUE) {
            let mut due = None;
            for (number, SharedWheel { wheel, .. }) in (0..).zip(&mut self.wheels) {
                wheel.advance(now);
                due = due.or_else(|| wheel.first_due().map(|slot| (number, slot)));
            }
            let (wheel, slot) = due?;
            self.splice_due(arena, wheel, slot);
        }
        let LinkTarget::Member(index) = self.due.first.target() else { return None };
        self.unlink(arena, index);
        Some(index)
    }

    /// Moves the list of a slot to the end of the due list.
    fn splice_due<T>(&mut self, arena: &mut Arena<T>, wheel: u8, slot: u32) {
        let list = list_of(wheel, slot);
        let ListHead { first, last } = *self.head(list);
        let before = self.due.last;
        self.set_next(arena, before, first);
        self.set_previous(arena, first, before);
        self.set_next(arena, last, ListLink::head(DUE));
        self.due.last = last;
        *self.head(list) = ListHead::of(list);
        self.wheel(wheel).clear(slot);
    }

    /// Appends a member that is in no list to the due list.
    pub(super) fn push_due<T>(&mut self, arena: &mut Arena<T>, index: u32) {
        self.push_back(arena, index, DUE);
    }

    /// Inserts a member that is in no list into the slot of a deadline.
    pub(super) fn insert_at<T>(
        &mut self,
        arena: &mut Arena<T>,
        index: u32,
        wheel: u8,
        deadline: CompactInstant,
        now: CompactInstant,
    ) {
        let target = self.wheel(wheel);
        target.advance(now);
        let slot = target.slot_for(deadline);
        if target.is_due(slot) {
            self.splice_due(arena, wheel, slot); // left from the previous revolution
        }
        self.wheel(wheel).mark(slot);
        self.push_back(arena, index, list_of(wheel, slot));
    }

    fn push_back<T>(&mut self, arena: &mut Arena<T>, index: u32, list: u32) {
        let (this, end) = (ListLink::member(index), ListLink::head(list));
        let before = self.head(list).last;
        let node = arena.linked(index);
        (node.prev, node.next) = (before, end);
        self.set_next(arena, before, this);
        self.head(list).last = this;
    }

    /// Removes a member from its list, if it is in one.
    pub(super) fn unlink<T>(&mut self, arena: &mut Arena<T>, index: u32) {
        let node = arena.linked(index);
        let (before, after) = (node.prev, node.next);
        if before == ListLink::UNLINKED {
            return;
        }
        (node.prev, node.next) = (ListLink::UNLINKED, ListLink::UNLINKED);
        self.set_next(arena, before, after);
        self.set_previous(arena, after, before);
        match before.target() {
            LinkTarget::Head(list) if before == after && list != DUE => {
                self.wheels[(list / SLOTS) as usize].wheel.clear(list % SLOTS); // it was the last member
            }
            _ => {}
        }
    }

    fn set_next<T>(&mut self, arena: &mut Arena<T>, of: ListLink, next: ListLink) {
        match of.target() {
            LinkTarget::Member(index) => arena.linked(index).next = next,
            LinkTarget::Head(list) => self.head(list).first = next,
        }
    }

    fn set_previous<T>(&mut self, arena: &mut Arena<T>, of: ListLink, previous: ListLink) {
        match of.target() {
            LinkTarget::Member(index) => arena.linked(index).prev = previous,
            LinkTarget::Head(list) => self.head(list).last = previous,
        }
    }

    fn head(&mut self, list: u32) -> &mut ListHead {
        if list == DUE { &mut self.due } else { &mut self.heads[list as usize] }
    }

    fn wheel(&mut self, number: u8) -> &mut Wheel {
        &mut self.wheels[usize::from(number)].wheel
    }

    #[cfg(test)]
    pub(super) fn wheels(&self) -> usize {
        self.wheels.len()
    }
}

impl ListHead {
    const fn of(list: u32) -> Self {
        Self { first: ListLink::head(list), last: ListLink::head(list) }
    }

    fn is_empty(self, list: u32) -> bool {
        self.first == ListLink::head(list)
    }
}

/// The list of a slot.
fn list_of(wheel: u8, slot: u32) -> u32 {
    u32::from(wheel).saturating_mul(SLOTS).saturating_add(slot)
}
