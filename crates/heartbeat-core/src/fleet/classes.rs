use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use super::lines::Lines;
use super::node::Unit;
use crate::span::Span;
use crate::tick::Tick;
use crate::{Config, Heartbeat, Jitter};

/// What the members of one configuration share; whether they began promptly, and with which seed, is
/// theirs alone.
#[derive(Debug)]
pub(super) struct Class {
    /// A machine of that configuration, which is given the state of a member.
    pub(super) machine: Heartbeat<Tick>,
    pub(super) unit: Unit,
    pub(super) wheel: u8,
    terms: Terms,
    members: u32,
}

type Terms = (Duration, Jitter, Duration, Duration);

/// The configurations in use.
#[derive(Debug)]
pub(super) struct Classes {
    all: Vec<Class>,
    /// Which of them have no members.
    unused: Vec<u16>,
    by_terms: BTreeMap<Terms, u16>,
}

impl Classes {
    pub(super) const fn new() -> Self {
        Self { all: Vec::new(), unused: Vec::new(), by_terms: BTreeMap::new() }
    }

    pub(super) fn get(&self, class: u16) -> &Class {
        &self.all[usize::from(class)]
    }

    /// The class for one more member, or `None` if there are too many others.
    pub(super) fn join(&mut self, config: &Config, lines: &mut Lines, now: Tick) -> Option<u16> {
        let terms =
            (config.interval(), config.jitter(), config.give_up_after(), config.stall_after());
        if let Some(&number) = self.by_terms.get(&terms) {
            let class = &mut self.all[usize::from(number)];
            class.members = class.members.saturating_add(1);
            return Some(number);
        }
        let number = match self.unused.pop() {
            Some(number) => number,
            None => u16::try_from(self.all.len()).ok()?,
        };
        let class = Class::new(config, terms, lines, now);
        match self.all.get_mut(usize::from(number)) {
            Some(unused) => *unused = class,
            None => self.all.push(class),
        }
        self.by_terms.insert(terms, number);
        Some(number)
    }

    /// One member less.
    pub(super) fn leave(&mut self, number: u16, lines: &mut Lines) {
        let class = &mut self.all[usize::from(number)];
        class.members = class.members.saturating_sub(1);
        if class.members > 0 {
            return;
        }
        lines.release(class.wheel);
        self.by_terms.remove(&class.terms);
        self.unused.push(number);
        if self.by_terms.is_empty() {
            *self = Self::new();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_terms.len()
    }
}

impl Class {
    /// A class with one member.
    fn new(config: &Config, terms: Terms, lines: &mut Lines, now: Tick) -> Self {
        let wheel = lines.acquire(slot(config), now);
        // The last instant of a slot is the latest deadline that is served when the slot begins.
        let early = Duration::from_nanos(lines.width(wheel).saturating_sub(1));
        Self {
            machine: Heartbeat::new(config, Tick::ZERO).with_granularity(early),
            unit: Unit::of(Span::limit(config.give_up_after()).nanos()),
            wheel,
            terms,
            members: 1,
        }
    }
}

/// How long the slots for a configuration are: a 64th of the interval (T15). Giving up and stalling
/// are late by as much: where one of them is set to less than an eighth of the interval, no more than
/// an eighth of that.
fn slot(config: &Config) -> u64 {
    let limit = |duration| Span::limit(duration).nanos();
    let shortest = limit(config.give_up_after()).min(limit(config.stall_after()));
    limit(config.interval()).min(shortest.saturating_mul(8)) / 64
}
