use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::num::NonZero;

use super::node::{ConfigId, Node};
use super::segment::{SEGMENT, Segment};

/// A link has 31 bits for the index of a member, 8 of them within its segment.
const MOST_SEGMENTS: usize = 1 << 23;

/// Names a member of a [`HeartbeatSet`](crate::HeartbeatSet).
///
/// A key is never reused: after its member is removed, it is stale for good. It is valid only for the
/// set that returned it. `Option<Key>` has the size of `Key`, 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    index: u32,
    generation: NonZero<u16>, // the niche of `Option<Key>`
}

impl Key {
    pub(super) const fn index(self) -> u32 {
        self.index
    }
}

/// Stores the members, in segments of 256 that are allocated when needed and freed when they are empty.
///
/// The segment with the lowest number is filled first, so that after a surge the last segments become
/// empty. One empty segment is kept, so that a single member that comes and goes does not allocate each
/// time. Of a freed segment 24 bytes remain, which record the generations that its keys had.
///
/// The tables that lead to a member are kept apart from its data so that they stay in the cache: 312 kB
/// for ten million members.
pub(super) struct Arena<T> {
    nodes: Vec<Entries<Node>>,
    values: Vec<Entries<Option<T>>>,
    segments: Vec<Segment>,
    /// The allocated segments with room for another member.
    with_room: BTreeSet<u32>,
    /// The freed segments that may be allocated again.
    freed: BTreeSet<u32>,
    /// The allocated segment without members, if there is one.
    cached: Option<u32>,
    len: usize,
    /// The members that were read or written since a test cleared this.
    #[cfg(test)]
    pub(super) touched: BTreeSet<u32>,
}

/// The entries of a segment; `None` while it is not allocated.
type Entries<P> = Option<Box<[P; SEGMENT as usize]>>;

const _: () = {
    let left = size_of::<Entries<Node>>() + size_of::<Entries<u64>>() + size_of::<Segment>();
    assert!(left <= 24);
};

impl<T> Arena<T> {
    pub(super) const fn new() -> Self {
        Self {
            nodes: Vec::new(),
            values: Vec::new(),
            segments: Vec::new(),
            with_room: BTreeSet::new(),
            freed: BTreeSet::new(),
            cached: None,
            len: 0,
            #[cfg(test)]
            touched: BTreeSet::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Inserts a member; `None` if all segments are full.
    pub(super) fn insert(&mut self, value: T, config: ConfigId) -> Option<Key> {
        let number = self.number_with_room()?;
        let nodes = self.nodes[number as usize].as_mut()?;
        let values = self.values[number as usize].as_mut()?;
        let segment = &mut self.segments[number as usize];
        let offset = segment.take(&mut nodes[..]);
        let node = &mut nodes[usize::from(offset)];
        *node = node.occupied(config);
        values[usize::from(offset)] = Some(value);
        let index = number << SEGMENT.ilog2() | u32::from(offset);
        let key = Key { index, generation: node.generation };
        if !segment.has_room() {
            self.with_room.remove(&number);
        }
        if self.cached == Some(number) {
            self.cached = None;
        }
        self.len = self.len.saturating_add(1);
        #[cfg(test)]
        self.touched.insert(key.index);
        Some(key)
    }

    /// A segment with room, allocated if necessary.
    fn number_with_room(&mut self) -> Option<u32> {
        if let Some(&number) = self.with_room.first() {
            return Some(number);
        }
        let number = match self.freed.pop_first() {
            Some(number) => number,
            None if self.segments.len() < MOST_SEGMENTS => {
                let number = u32::try_from(self.segments.len()).ok()?;
                self.nodes.push(None);
                self.values.push(None);
                self.segments.push(Segment::freed(NonZero::<u16>::MIN));
                number
            }
            None => return None,
        };
        self.nodes[number as usize] = entries(self.segments[number as usize].allocate());
        self.values[number as usize] = entries(|_| None);
        self.with_room.insert(number);
        Some(number)
    }

    /// Removes a member that is in no list.
    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        self.node(key)?;
        let number = segment_of(key.index);
        let nodes = self.nodes[number as usize].as_mut()?;
        let segment = &mut self.segments[number as usize];
        segment.free(&mut nodes[..], offset_in(key.index));
        let value = entry(&mut self.values, key.index)?.take();
        if segment.has_room() {
            self.with_room.insert(number);
        }
        if segment.members == 0 {
            if segment.has_room() && self.cached.is_none() {
                self.cached = Some(number);
            } else {
                self.release(number);
            }
        }
        self.len = self.len.saturating_sub(1);
        value
    }

    fn release(&mut self, number: u32) {
        self.nodes[number as usize] = None;
        self.values[number as usize] = None;
        let segment = &mut self.segments[number as usize];
        *segment = Segment::freed(segment.generation);
        self.with_room.remove(&number);
        if segment.generation < NonZero::<u16>::MAX {
            self.freed.insert(number);
        }
    }

    /// The member that the key names; `None` if the key is stale.
    pub(super) fn node(&mut self, key: Key) -> Option<&mut Node> {
        let node = entry(&mut self.nodes, key.index)?;
        if node.generation != key.generation {
            return None;
        }
        #[cfg(test)]
        self.touched.insert(key.index);
        Some(node)
    }

    pub(super) fn get(&self, key: Key) -> Option<(&Node, &Option<T>)> {
        let (number, offset) = (segment_of(key.index) as usize, usize::from(offset_in(key.index)));
        let node = &self.nodes.get(number)?.as_ref()?[offset];
        if node.generation != key.generation {
            return None;
        }
        Some((node, &self.values[number].as_ref()?[offset]))
    }

    pub(super) fn value_mut(&mut self, key: Key) -> Option<&mut Option<T>> {
        self.node(key)?;
        entry(&mut self.values, key.index)
    }

    /// The values of all entries, free ones included.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Option<T>> {
        self.values.iter_mut().flatten().flat_map(|segment| segment.iter_mut())
    }

    /// A member that is in a list, and therefore exists.
    pub(super) fn linked(&mut self, index: u32) -> &mut Node {
        #[cfg(test)]
        self.touched.insert(index);
        entry(&mut self.nodes, index).expect("a segment with members is allocated")
    }

    /// The key of a member that is in a list.
    pub(super) fn key(&mut self, index: u32) -> Key {
        Key { index, generation: self.linked(index).generation }
    }

    /// The number of allocated segments.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.nodes.iter().flatten().count()
    }
}

fn segment_of(index: u32) -> u32 {
    index >> SEGMENT.ilog2()
}

/// The position within the segment.
#[expect(clippy::cast_possible_truncation, reason = "only the remainder is used")]
fn offset_in(index: u32) -> u16 {
    index as u16 % SEGMENT
}

fn entry<P>(all: &mut [Entries<P>], index: u32) -> Option<&mut P> {
    let entries = all.get_mut(segment_of(index) as usize)?.as_mut()?;
    Some(&mut entries[usize::from(offset_in(index))])
}

/// Allocates the entries of a segment on the heap directly: the stack may be small.
fn entries<P>(entry: impl FnMut(u16) -> P) -> Entries<P> {
    (0..SEGMENT).map(entry).collect::<Vec<_>>().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_reused_and_a_segment_without_unused_keys_is_abandoned() {
        let mut arena = Arena::new();
        // One member that comes and goes takes all entries in turn: each generation occurs 256 times.
        let (entries, generations) = (u32::from(SEGMENT), u32::from(u16::MAX) - 1);
        for nth in 0..entries * generations {
            let key = arena.insert((), 0).expect("room");
            let generation = NonZero::<u16>::MIN
                .checked_add(u16::try_from(nth / entries).expect("below the last one"))
                .expect("below the last one");
            assert_eq!(key, Key { index: nth % entries, generation });
            assert_eq!(arena.remove(key), Some(()));
        }
        assert_eq!((arena.allocated(), arena.len()), (0, 0));
        let last = Key { index: 0, generation: NonZero::<u16>::MAX };
        assert!(arena.node(last).is_none());

        let key = arena.insert((), 0).expect("room");
        assert_eq!(key, Key { index: entries, generation: NonZero::<u16>::MIN });
    }

    #[test]
    fn the_segment_of_a_member_that_comes_and_goes_is_kept() {
        let mut arena = Arena::new();
        for _ in 0..3 {
            let key = arena.insert((), 0).expect("room");
            arena.remove(key);
            assert_eq!((arena.allocated(), arena.len()), (1, 0));
        }
    }

    #[test]
    fn a_segment_that_is_allocated_again_gives_new_keys() {
        let mut arena = Arena::new();
        let many = 3 * u32::from(SEGMENT);
        let fill = |arena: &mut Arena<u32>| -> Vec<Key> {
            (0..many).map(|n| arena.insert(n, 0).expect("room")).collect()
        };
        let old = fill(&mut arena);
        for &key in &old {
            arena.remove(key);
        }
        assert_eq!(arena.allocated(), 1);
        let new = fill(&mut arena);
        assert!(old.iter().all(|&key| arena.get(key).is_none() && arena.remove(key).is_none()));
        assert!(
            (0..).zip(&new).all(|(n, &key)| arena.get(key).is_some_and(|(_, it)| *it == Some(n)))
        );
        assert!(new.iter().all(|key| key.index() < many), "the same segments");
    }
}
