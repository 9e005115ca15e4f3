use alloc::vec::Vec;

use super::arena::Arena;
use super::node::{Link, Target};
use super::wheel::{SLOTS, Wheel};
use crate::instant::earliest;
use crate::tick::Tick;

/// Wheels whose slots are exactly as long as was asked for; the others have to share.
const EXACT: usize = 32;

/// Where the members wait: in the slots of the wheels, or in the line of those that are up.
///
/// Each is a ring through the members in it, so that whoever leaves one touches two neighbours at most.
pub(super) struct Lines {
    up: Ends,
    wheels: Vec<Shared>,
    /// The slots of all wheels, one wheel after the other.
    slots: Vec<Ends>,
}

/// A wheel, and how many classes of members are filed in it.
struct Shared {
    wheel: Wheel,
    classes: u32,
}

/// The first and the last in a line; the line itself, if nobody is in it.
#[derive(Debug, Clone, Copy)]
struct Ends {
    first: Link,
    last: Link,
}

/// The line of those that are up; the others are numbered by wheel and slot.
const UP: u32 = u32::MAX >> 2;

impl Lines {
    pub(super) const fn new() -> Self {
        Self { up: Ends::of(UP), wheels: Vec::new(), slots: Vec::new() }
    }

    /// A wheel for a class of members that may be early by less than `width`; its slots are not longer
    /// than that.
    ///
    /// They are shorter only where more than [`EXACT`] lengths are in use: then all lengths up to
    /// twice as long share a wheel, so there are never more than 96 wheels to look at.
    pub(super) fn acquire(&mut self, width: u64, now: Tick) -> u8 {
        let width = width.max(1);
        let number = self.wheel_of(width).unwrap_or_else(|| {
            let mut exact = self.wheels.iter().take(EXACT);
            if let Some(unused) = exact.position(|shared| shared.classes == 0) {
                self.wheels[unused].wheel = Wheel::new(width, now);
                return unused;
            }
            if self.wheels.len() < EXACT {
                return self.push(width, now);
            }
            let common = 1 << width.ilog2();
            self.wheel_of(common).unwrap_or_else(|| self.push(common, now))
        });
        let shared = &mut self.wheels[number];
        shared.classes = shared.classes.saturating_add(1);
        debug_assert!(number < EXACT.saturating_add(64), "a common wheel for each power of two");
        u8::try_from(number).unwrap_or(u8::MAX)
    }

    fn wheel_of(&self, width: u64) -> Option<usize> {
        self.wheels.iter().position(|shared| shared.wheel.width() == width)
    }

    fn push(&mut self, width: u64, now: Tick) -> usize {
        let number = self.wheels.len();
        self.wheels.push(Shared { wheel: Wheel::new(width, now), classes: 0 });
        let lines = (0..).skip(self.slots.len()).take(SLOTS as usize);
        self.slots.extend(lines.map(Ends::of));
        number
    }

    /// One class less needs the wheel. Where it was the last, nobody is left in its slots.
    pub(super) fn release(&mut self, wheel: u8) {
        let shared = &mut self.wheels[usize::from(wheel)];
        shared.classes = shared.classes.saturating_sub(1);
    }

    pub(super) fn width(&self, wheel: u8) -> u64 {
        self.wheels[usize::from(wheel)].wheel.width()
    }

    /// When to look for somebody who is up: `now` if somebody is.
    pub(super) fn next(&self, now: Tick) -> Option<Tick> {
        if !self.up.is_empty(UP) {
            return Some(now);
        }
        self.wheels.iter().fold(None, |soonest, Shared { wheel, .. }| {
            let up = wheel.first_up().map(|_| now);
            earliest(soonest, earliest(up, wheel.next()))
        })
    }

    /// Takes out of line one member that is up at `now`.
    pub(super) fn pop<T>(&mut self, arena: &mut Arena<T>, now: Tick) -> Option<u32> {
        if self.up.is_empty(UP) {
            let mut up = None;
            for (number, Shared { wheel, .. }) in (0..).zip(&mut self.wheels) {
                wheel.turn(now);
                up = up.or_else(|| wheel.first_up().map(|place| (number, place)));
            }
            let (wheel, place) = up?;
            self.bring_up(arena, wheel, place);
        }
        let Target::Member(index) = self.up.first.target() else { return None };
        self.leave(arena, index);
        Some(index)
    }

    /// Moves a whole slot to the end of the line of those that are up.
    fn bring_up<T>(&mut self, arena: &mut Arena<T>, wheel: u8, place: u32) {
        let line = slot(wheel, place);
        let Ends { first, last } = *self.ends(line);
        let before = self.up.last;
        self.set_next(arena, before, first);
        self.set_previous(arena, first, before);
        self.set_next(arena, last, Link::line(UP));
        self.up.last = last;
        *self.ends(line) = Ends::of(line);
        self.wheel(wheel).clear(place);
    }

    /// Puts a member that is in no line at the end of those that are up.
    pub(super) fn join_up<T>(&mut self, arena: &mut Arena<T>, index: u32) {
        self.join(arena, index, UP);
    }

    /// Puts a member that is in no line into the slot of a deadline.
    pub(super) fn file<T>(
        &mut self,
        arena: &mut Arena<T>,
        index: u32,
        wheel: u8,
        deadline: Tick,
        now: Tick,
    ) {
        let calendar = self.wheel(wheel);
        calendar.turn(now);
        let place = calendar.place_for(deadline);
        if calendar.is_up(place) {
            self.bring_up(arena, wheel, place); // it is there from a round ago
        }
        self.wheel(wheel).take(place);
        self.join(arena, index, slot(wheel, place));
    }

    fn join<T>(&mut self, arena: &mut Arena<T>, index: u32, line: u32) {
        let (this, end) = (Link::member(index), Link::line(line));
        let last = self.ends(line).last;
        let node = arena.in_line(index);
        (node.prev, node.next) = (last, end);
        self.set_next(arena, last, this);
        self.ends(line).last = this;
    }

    /// Takes a member out of the line that it is in, if any.
    pub(super) fn leave<T>(&mut self, arena: &mut Arena<T>, index: u32) {
        let node = arena.in_line(index);
        let (before, after) = (node.prev, node.next);
        if before == Link::NOWHERE {
            return;
        }
        (node.prev, node.next) = (Link::NOWHERE, Link::NOWHERE);
        self.set_next(arena, before, after);
        self.set_previous(arena, after, before);
        match before.target() {
            Target::Line(line) if before == after && line != UP => {
                self.wheels[(line / SLOTS) as usize].wheel.clear(line % SLOTS); // it was the last
            }
            _ => {}
        }
    }

    fn set_next<T>(&mut self, arena: &mut Arena<T>, of: Link, next: Link) {
        match of.target() {
            Target::Member(index) => arena.in_line(index).next = next,
            Target::Line(line) => self.ends(line).first = next,
        }
    }

    fn set_previous<T>(&mut self, arena: &mut Arena<T>, of: Link, previous: Link) {
        match of.target() {
            Target::Member(index) => arena.in_line(index).prev = previous,
            Target::Line(line) => self.ends(line).last = previous,
        }
    }

    fn ends(&mut self, line: u32) -> &mut Ends {
        if line == UP { &mut self.up } else { &mut self.slots[line as usize] }
    }

    fn wheel(&mut self, number: u8) -> &mut Wheel {
        &mut self.wheels[usize::from(number)].wheel
    }

    #[cfg(test)]
    pub(super) fn wheels(&self) -> usize {
        self.wheels.len()
    }
}

impl Ends {
    const fn of(line: u32) -> Self {
        Self { first: Link::line(line), last: Link::line(line) }
    }

    fn is_empty(self, line: u32) -> bool {
        self.first == Link::line(line)
    }
}

/// The line of a slot.
fn slot(wheel: u8, place: u32) -> u32 {
    u32::from(wheel).saturating_mul(SLOTS).saturating_add(place)
}
