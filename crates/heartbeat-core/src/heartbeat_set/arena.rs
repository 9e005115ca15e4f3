use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::num::NonZero;

use super::config_table::ConfigId;
use super::node::Node;
use super::segment::{SEGMENT, Segment};

/// A link has 31 bits for a member.
const MOST_SEGMENTS: usize = 1 << 23;

/// Names a member of a [`HeartbeatSet`](crate::HeartbeatSet), and none that comes after it.
///
/// It means nothing to another fleet than the one that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    index: u32,
    generation: NonZero<u16>, // so that an `Option<Key>` is no larger
}

impl Key {
    pub(super) const fn index(self) -> u32 {
        self.index
    }
}

/// Where the members are: segments of 256, made when they are needed and given back when they are
/// empty.
///
/// The segment with the lowest number is filled first, so that after a surge those at the end empty.
/// One empty segment is kept, lest a member that comes and goes costs an allocation each time. Of a
/// segment that was given back 24 bytes are left, which know the generations that its keys had.
///
/// What leads to a member is kept apart from all else, so that it stays in a cache: 312 kB for ten
/// million members.
pub(super) struct Arena<T> {
    nodes: Vec<Entries<Node>>,
    values: Vec<Entries<Option<T>>>,
    segments: Vec<Segment>,
    /// Segments with room for another member.
    with_room: BTreeSet<u32>,
    /// Segments that were given back and may be made again.
    freed: BTreeSet<u32>,
    /// The open segment without members, if there is one.
    cached: Option<u32>,
    len: usize,
    /// The members that were read or written.
    #[cfg(test)]
    pub(super) touched: BTreeSet<u32>,
}

/// The places of a segment; `None` while it is given back.
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

    /// Takes a value in; `None` if all places are taken.
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

    /// A segment that has room, made if need be.
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

    /// Lets a member go, which is in no line any more.
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

    /// The member that the key names, unless it is gone.
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

    /// The places of the values of all members, and of those that are vacant.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Option<T>> {
        self.values.iter_mut().flatten().flat_map(|segment| segment.iter_mut())
    }

    /// A member that stands in line, and so is there.
    pub(super) fn linked(&mut self, index: u32) -> &mut Node {
        #[cfg(test)]
        self.touched.insert(index);
        entry(&mut self.nodes, index).expect("a segment with members was not given back")
    }

    /// The key of a member that stands in line.
    pub(super) fn key(&mut self, index: u32) -> Key {
        Key { index, generation: self.linked(index).generation }
    }

    /// How many segments take up memory.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.nodes.iter().flatten().count()
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

fn entry<P>(all: &mut [Entries<P>], index: u32) -> Option<&mut P> {
    let entries = all.get_mut(segment_of(index) as usize)?.as_mut()?;
    Some(&mut entries[usize::from(offset_in(index))])
}

/// The places of a segment. They do not pass over the stack, which may be small.
fn entries<P>(entry: impl FnMut(u16) -> P) -> Entries<P> {
    (0..SEGMENT).map(entry).collect::<Vec<_>>().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_given_twice_and_a_segment_without_any_more_is_given_up() {
        let mut arena = Arena::new();
        // One member that comes and goes takes all places in turn, so each generation is given 256 times.
        let (places, generations) = (u32::from(SEGMENT), u32::from(u16::MAX) - 1);
        for nth in 0..places * generations {
            let key = arena.insert((), 0).expect("room");
            let generation = NonZero::<u16>::MIN
                .checked_add(u16::try_from(nth / places).expect("below the last one"))
                .expect("below the last one");
            assert_eq!(key, Key { index: nth % places, generation });
            assert_eq!(arena.remove(key), Some(()));
        }
        assert_eq!((arena.allocated(), arena.len()), (0, 0));
        let last = Key { index: 0, generation: NonZero::<u16>::MAX };
        assert!(arena.node(last).is_none());

        let key = arena.insert((), 0).expect("room");
        assert_eq!(key, Key { index: places, generation: NonZero::<u16>::MIN });
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
        assert_eq!(arena.allocated(), 1);
        let new = fill(&mut arena);
        assert!(old.iter().all(|&key| arena.get(key).is_none() && arena.remove(key).is_none()));
        assert!(
            (0..).zip(&new).all(|(n, &key)| arena.get(key).is_some_and(|(_, it)| *it == Some(n)))
        );
        assert!(new.iter().all(|key| key.index() < many), "the same places");
    }
}
