use core::num::NonZero;

use super::node::{ListLink, Node};

/// How many members a segment has room for.
pub(super) const SEGMENT: u16 = 256;

/// Stands for a vacant place where there is none.
const NONE: u16 = SEGMENT;

/// Which places of a segment are vacant.
pub(super) struct Segment {
    /// No key was given with this generation or a greater one.
    pub(super) generation: NonZero<u16>,
    pub(super) members: u16,
    /// The places that are vacant, in the order in which they became so: thus the generations grow
    /// evenly.
    first: u16,
    last: u16,
}

impl Segment {
    /// One that has no places, and gives no key of an earlier generation when it has.
    pub(super) fn freed(generation: NonZero<u16>) -> Self {
        Self { generation, members: 0, first: NONE, last: NONE }
    }

    /// Makes all places vacant, and says what is in each.
    pub(super) fn allocate(&mut self) -> impl Fn(u16) -> Node + use<> {
        (self.first, self.last) = (0, SEGMENT - 1);
        let generation = self.generation;
        move |offset| Node::free(generation, ListLink::free_entry(offset.saturating_add(1)))
    }

    pub(super) fn has_room(&self) -> bool {
        self.first != NONE
    }

    /// Takes a vacant place, where there is room.
    pub(super) fn take(&mut self, nodes: &mut [Node]) -> u16 {
        debug_assert!(self.has_room(), "only segments with room are asked");
        let offset = self.first;
        self.first = nodes[usize::from(offset)].next.as_offset();
        self.members = self.members.saturating_add(1);
        offset
    }

    /// Makes the place of a member vacant, which is there.
    pub(super) fn free(&mut self, nodes: &mut [Node], offset: u16) {
        let generation = nodes[usize::from(offset)].generation.saturating_add(1);
        self.generation = self.generation.max(generation);
        nodes[usize::from(offset)] = Node::free(generation, ListLink::free_entry(NONE));
        // Where the generations are used up the place stays vacant: its keys would not differ.
        if generation < NonZero::<u16>::MAX {
            if self.has_room() {
                nodes[usize::from(self.last)].next = ListLink::free_entry(offset);
            } else {
                self.first = offset;
            }
            self.last = offset;
        }
        self.members = self.members.saturating_sub(1);
    }
}
