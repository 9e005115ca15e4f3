use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::node::{Link, Node};

/// How many members a segment has room for.
pub(super) const SEGMENT: u16 = 256;

/// A link has 31 bits for a member.
const MOST_SEGMENTS: usize = 1 << 23;

/// Stands for a vacant place where there is none.
const NONE: u16 = SEGMENT;

/// Names a member of a [`Fleet`](crate::Fleet), and none that comes after it.
///
/// It means nothing to another fleet than the one that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    index: u32,
    generation: u16,
}

impl Key {
    /// The key of no member, of any fleet.
    #[must_use]
    pub const fn dangling() -> Self {
        Self { index: u32::MAX, generation: u16::MAX }
    }

    pub(super) const fn index(self) -> u32 {
        self.index
    }
}

/// Where the members are: segments of 256, made when they are needed and given back when they are
/// empty.
///
/// The segment with the lowest number is filled first, so that after a surge those at the end empty.
/// One empty segment is kept, lest a member that comes and goes costs an allocation each time. Of a
/// segment that was given back 40 bytes are left, which know the generations that its keys had.
pub(super) struct Arena<T> {
    segments: Vec<Segment<T>>,
    /// Segments with room for another member.
    open: BTreeSet<u32>,
    /// Segments that were given back and may be made again.
    released: BTreeSet<u32>,
    /// The open segment without members, if there is one.
    spare: Option<u32>,
    len: usize,
    /// The members that were read or written.
    #[cfg(test)]
    pub(super) touched: BTreeSet<u32>,
}

struct Segment<T> {
    /// Empty while the segment is given back, as are the values.
    nodes: Box<[Node]>,
    values: Box<[Option<T>]>,
    /// No key was given with this generation or a greater one.
    generation: u16,
    members: u16,
    /// The places that are vacant, in the order in which they became so: thus the generations grow
    /// evenly.
    first: u16,
    last: u16,
}

const _: () = assert!(size_of::<Segment<u64>>() == 40);

impl<T> Arena<T> {
    pub(super) const fn new() -> Self {
        Self {
            segments: Vec::new(),
            open: BTreeSet::new(),
            released: BTreeSet::new(),
            spare: None,
            len: 0,
            #[cfg(test)]
            touched: BTreeSet::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Takes a value in; `None` if all places are taken.
    pub(super) fn insert(&mut self, value: T, class: u16) -> Option<Key> {
        let number = self.number_with_room()?;
        let segment = &mut self.segments[number as usize];
        let key = segment.insert(number, value, class);
        if !segment.has_room() {
            self.open.remove(&number);
        }
        if self.spare == Some(number) {
            self.spare = None;
        }
        self.len = self.len.saturating_add(1);
        #[cfg(test)]
        self.touched.insert(key.index);
        Some(key)
    }

    /// A segment that has room, made if need be.
    fn number_with_room(&mut self) -> Option<u32> {
        if let Some(&number) = self.open.first() {
            return Some(number);
        }
        let number = match self.released.pop_first() {
            Some(number) => number,
            None if self.segments.len() < MOST_SEGMENTS => {
                let number = u32::try_from(self.segments.len()).ok()?;
                self.segments.push(Segment::released());
                number
            }
            None => return None,
        };
        self.segments[number as usize].furnish();
        self.open.insert(number);
        Some(number)
    }

    /// Lets a member go, which is in no line any more.
    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        self.node(key)?;
        let number = segment_of(key.index);
        let segment = &mut self.segments[number as usize];
        let value = segment.remove(key);
        if segment.has_room() {
            self.open.insert(number);
        }
        if segment.members == 0 {
            if segment.has_room() && self.spare.is_none() {
                self.spare = Some(number);
            } else {
                self.release(number);
            }
        }
        self.len = self.len.saturating_sub(1);
        value
    }

    fn release(&mut self, number: u32) {
        let segment = &mut self.segments[number as usize];
        *segment = Segment { generation: segment.generation, ..Segment::released() };
        self.open.remove(&number);
        if segment.generation < u16::MAX {
            self.released.insert(number);
        }
    }

    /// The member that the key names, unless it is gone.
    pub(super) fn node(&mut self, key: Key) -> Option<&mut Node> {
        let segment = self.segments.get_mut(segment_of(key.index) as usize)?;
        let node = segment.nodes.get_mut(usize::from(offset_in(key.index)))?;
        if node.generation != key.generation {
            return None;
        }
        #[cfg(test)]
        self.touched.insert(key.index);
        Some(node)
    }

    pub(super) fn get(&self, key: Key) -> Option<(&Node, &Option<T>)> {
        let segment = self.segments.get(segment_of(key.index) as usize)?;
        let offset = usize::from(offset_in(key.index));
        let node = segment.nodes.get(offset).filter(|node| node.generation == key.generation)?;
        Some((node, &segment.values[offset]))
    }

    pub(super) fn value_mut(&mut self, key: Key) -> Option<&mut Option<T>> {
        self.node(key)?;
        let segment = &mut self.segments[segment_of(key.index) as usize];
        Some(&mut segment.values[usize::from(offset_in(key.index))])
    }

    /// The places of the values of all members, and of those that are vacant.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Option<T>> {
        self.segments.iter_mut().flat_map(|segment| &mut segment.values)
    }

    /// A member that stands in line, and so is there.
    pub(super) fn in_line(&mut self, index: u32) -> &mut Node {
        #[cfg(test)]
        self.touched.insert(index);
        &mut self.segments[segment_of(index) as usize].nodes[usize::from(offset_in(index))]
    }

    /// The key of a member that stands in line.
    pub(super) fn key(&mut self, index: u32) -> Key {
        Key { index, generation: self.in_line(index).generation }
    }

    /// How many segments take up memory.
    #[cfg(test)]
    pub(super) fn furnished(&self) -> usize {
        self.segments.iter().filter(|segment| !segment.nodes.is_empty()).count()
    }
}

impl<T> Segment<T> {
    fn released() -> Self {
        let (nodes, values) = (Box::default(), Box::default());
        Self { nodes, values, generation: 0, members: 0, first: NONE, last: NONE }
    }

    fn furnish(&mut self) {
        let next = |offset: u16| Link::place(offset.saturating_add(1));
        self.nodes = (0..SEGMENT).map(|it| Node::vacant(self.generation, next(it))).collect();
        self.values = (0..SEGMENT).map(|_| None).collect();
        (self.first, self.last) = (0, SEGMENT - 1);
    }

    fn has_room(&self) -> bool {
        self.first != NONE
    }

    /// Takes a value in, where there is room. The number is that of the segment.
    fn insert(&mut self, number: u32, value: T, class: u16) -> Key {
        debug_assert!(self.has_room(), "only segments with room are asked");
        let offset = self.first;
        let node = &mut self.nodes[usize::from(offset)];
        self.first = node.next.as_place();
        let generation = node.generation;
        *node = node.taken(class);
        self.values[usize::from(offset)] = Some(value);
        self.members = self.members.saturating_add(1);
        Key { index: number << SEGMENT.ilog2() | u32::from(offset), generation }
    }

    /// Lets the member go, which is there.
    fn remove(&mut self, key: Key) -> Option<T> {
        let offset = offset_in(key.index);
        let generation = key.generation.saturating_add(1);
        self.generation = self.generation.max(generation);
        self.nodes[usize::from(offset)] = Node::vacant(generation, Link::place(NONE));
        // Where the generations are used up the place stays vacant: its keys would not differ.
        if generation < u16::MAX {
            if self.has_room() {
                self.nodes[usize::from(self.last)].next = Link::place(offset);
            } else {
                self.first = offset;
            }
            self.last = offset;
        }
        self.members = self.members.saturating_sub(1);
        self.values[usize::from(offset)].take()
    }
}

fn segment_of(index: u32) -> u32 {
    index >> SEGMENT.ilog2()
}

/// The place within its segment.
#[expect(clippy::cast_possible_truncation, reason = "the rest of a division by 256 is meant")]
fn offset_in(index: u32) -> u16 {
    index as u16 % SEGMENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_given_twice_and_a_segment_without_any_more_is_given_up() {
        let mut arena = Arena::new();
        // One member that comes and goes takes all places in turn, so each generation is given 256 times.
        let (places, generations) = (u32::from(SEGMENT), u32::from(u16::MAX));
        for nth in 0..places * generations {
            let key = arena.insert((), 0).expect("room");
            let generation = u16::try_from(nth / places).expect("below the last one");
            assert_eq!(key, Key { index: nth % places, generation });
            assert_eq!(arena.remove(key), Some(()));
        }
        assert_eq!((arena.furnished(), arena.len()), (0, 0));
        let last = Key { index: 0, generation: u16::MAX };
        assert!(arena.node(last).is_none());

        let key = arena.insert((), 0).expect("room");
        assert_eq!(key, Key { index: places, generation: 0 });
    }

    #[test]
    fn a_segment_that_comes_back_gives_other_keys() {
        let mut arena = Arena::new();
        let many = 3 * u32::from(SEGMENT);
        let fill = |arena: &mut Arena<u32>| -> Vec<Key> {
            (0..many).map(|n| arena.insert(n, 0).expect("room")).collect()
        };
        let old = fill(&mut arena);
        for &key in &old {
            arena.remove(key);
        }
        assert_eq!(arena.furnished(), 1);
        let new = fill(&mut arena);
        assert!(old.iter().all(|&key| arena.get(key).is_none() && arena.remove(key).is_none()));
        assert!(
            (0..).zip(&new).all(|(n, &key)| arena.get(key).is_some_and(|(_, it)| *it == Some(n)))
        );
        assert!(new.iter().all(|key| key.index() < many), "the same places");
    }
}
