use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use super::node::Resolution;
use super::slots::SlotLists;
use crate::compact_instant::CompactInstant;
use crate::nanos::Nanos;
use crate::{Config, Heartbeat, Jitter};

/// What the members of one configuration share; whether they began promptly, and with which seed, is
/// theirs alone.
#[derive(Debug)]
pub(super) struct ConfigEntry {
    /// A machine of that configuration, which is given the state of a member.
    pub(super) template: Heartbeat<CompactInstant>,
    pub(super) resolution: Resolution,
    pub(super) wheel: u8,
    settings: Settings,
    members: u32,
}

/// Names a [`ConfigEntry`] in the table.
pub(super) type ConfigId = u16;

type Settings = (Duration, Jitter, Duration, Duration);

/// The configurations in use.
#[derive(Debug)]
pub(super) struct ConfigTable {
    entries: Vec<ConfigEntry>,
    /// Which of them have no members.
    free: Vec<ConfigId>,
    ids: BTreeMap<Settings, ConfigId>,
}

impl ConfigTable {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), free: Vec::new(), ids: BTreeMap::new() }
    }

    pub(super) fn get(&self, id: ConfigId) -> &ConfigEntry {
        &self.entries[usize::from(id)]
    }

    /// The class for one more member, or `None` if there are too many others.
    pub(super) fn intern(
        &mut self,
        config: &Config,
        slots: &mut SlotLists,
        now: CompactInstant,
    ) -> Option<ConfigId> {
        let settings =
            (config.interval(), config.jitter(), config.give_up_after(), config.stall_after());
        if let Some(&id) = self.ids.get(&settings) {
            let entry = &mut self.entries[usize::from(id)];
            entry.members = entry.members.saturating_add(1);
            return Some(id);
        }
        let id = match self.free.pop() {
            Some(id) => id,
            None => ConfigId::try_from(self.entries.len()).ok()?,
        };
        let entry = ConfigEntry::new(config, settings, slots, now);
        match self.entries.get_mut(usize::from(id)) {
            Some(unused) => *unused = entry,
            None => self.entries.push(entry),
        }
        self.ids.insert(settings, id);
        Some(id)
    }

    /// One member less.
    pub(super) fn release(&mut self, id: ConfigId, slots: &mut SlotLists) {
        let entry = &mut self.entries[usize::from(id)];
        entry.members = entry.members.saturating_sub(1);
        if entry.members > 0 {
            return;
        }
        slots.release_wheel(entry.wheel);
        self.ids.remove(&entry.settings);
        self.free.push(id);
        if self.ids.is_empty() {
            *self = Self::new();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }
}

impl ConfigEntry {
    /// A class with one member.
    fn new(
        config: &Config,
        settings: Settings,
        slots: &mut SlotLists,
        now: CompactInstant,
    ) -> Self {
        let wheel = slots.acquire_wheel(slot_width(config), now);
        // The last instant of a slot is the latest deadline that is served when the slot begins.
        let early = Duration::from_nanos(slots.width(wheel).saturating_sub(1));
        Self {
            template: Heartbeat::new(config, CompactInstant::ZERO).with_granularity(early),
            resolution: Resolution::of(Nanos::from_timeout(config.give_up_after()).get()),
            wheel,
            settings,
            members: 1,
        }
    }
}

/// How long the slots for a configuration are: a 64th of the interval (T15). Giving up and stalling
/// are late by as much: where one of them is set to less than an eighth of the interval, no more than
/// an eighth of that.
fn slot_width(config: &Config) -> u64 {
    let limit = |duration| Nanos::from_timeout(duration).get();
    let shortest = limit(config.give_up_after()).min(limit(config.stall_after()));
    limit(config.interval()).min(shortest.saturating_mul(8)) / 64
}
