use core::num::NonZero;

use super::node::{ListLink, Node};

/// The number of entries of a segment.
pub(super) const SEGMENT: u16 = 256;

/// The end of the list of free entries.
const NONE: u16 = SEGMENT;

/// The free entries of a segment.
pub(super) struct Segment {
    /// Greater than the generation of every removed member.
    pub(super) generation: NonZero<u16>,
    pub(super) members: u16,
    /// The first and last of the free entries, in the order in which they became free: so the generations
    /// grow evenly.
    first: u16,
    last: u16,
}

impl Segment {
    /// A segment that is not allocated. Its keys will start at `generation`.
    pub(super) fn freed(generation: NonZero<u16>) -> Self {
        Self { generation, members: 0, first: NONE, last: NONE }
    }

    /// Makes all entries free, and returns the content of each.
    pub(super) fn allocate(&mut self) -> impl Fn(u16) -> Node + use<> {
        (self.first, self.last) = (0, SEGMENT - 1);
        let generation = self.generation;
        move |offset| Node::free(generation, ListLink::free_entry(offset.saturating_add(1)))
    }

    pub(super) fn has_room(&self) -> bool {
        self.first != NONE
    }

    /// Takes a free entry and returns its offset.
    pub(super) fn take(&mut self, nodes: &mut [Node]) -> u16 {
        debug_assert!(self.has_room(), "the caller checks for room");
        let offset = self.first;
        self.first = nodes[usize::from(offset)].next.as_offset();
        self.members = self.members.saturating_add(1);
        offset
    }

    /// Frees the entry of a member.
    pub(super) fn free(&mut self, nodes: &mut [Node], offset: u16) {
        let generation = nodes[usize::from(offset)].generation.saturating_add(1);
        self.generation = self.generation.max(generation);
        nodes[usize::from(offset)] = Node::free(generation, ListLink::free_entry(NONE));
        // An entry without unused generations is not used again: its keys would repeat.
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
