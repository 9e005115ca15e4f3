use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use super::node::{ConfigId, Resolution};
use super::slots::SlotLists;
use crate::compact_instant::CompactInstant;
use crate::nanos::Nanos;
use crate::{Config, Heartbeat, Jitter};

/// The part of a configuration that members share: all settings except the seed and the immediate first
/// heartbeat.
#[derive(Debug)]
pub(super) struct ConfigEntry {
    /// A heartbeat with this configuration, into which the state of a member is restored.
    pub(super) template: Heartbeat<CompactInstant>,
    pub(super) resolution: Resolution,
    pub(super) wheel: u8,
    settings: SharedSettings,
    members: u32,
}

type SharedSettings = (Duration, Jitter, Duration, Duration);

/// The configurations in use, with reference counts.
#[derive(Debug)]
pub(super) struct ConfigTable {
    entries: Vec<ConfigEntry>,
    /// The entries without members.
    free: Vec<ConfigId>,
    ids: BTreeMap<SharedSettings, ConfigId>,
}

impl ConfigTable {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), free: Vec::new(), ids: BTreeMap::new() }
    }

    pub(super) fn get(&self, id: ConfigId) -> &ConfigEntry {
        &self.entries[usize::from(id)]
    }

    /// Finds or creates the entry of a configuration, and counts one more member. `None` if there are
    /// too many configurations.
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

    /// Counts one member less, and frees the entry after the last one.
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
    /// An entry with one member.
    fn new(
        config: &Config,
        settings: SharedSettings,
        slots: &mut SlotLists,
        now: CompactInstant,
    ) -> Self {
        let wheel = slots.acquire_wheel(slot_width(config), now);
        // When a slot starts, all deadlines up to its last instant are served.
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

/// Giving up and stalling do not make slots narrower than this: each slot is a wake-up.
const MIN_NARROWED_SLOT: u64 = 250_000_000;

/// The slot width of a configuration, in nanoseconds: a 64th of the interval (T15). Giving up and stalling are late by up to
/// one slot; a slot is therefore at most an eighth of the shorter of their times, or 250 ms if that is longer.
fn slot_width(config: &Config) -> u64 {
    let nanos = |duration| Nanos::from_timeout(duration).get();
    let shortest = nanos(config.give_up_after()).min(nanos(config.stall_after()));
    (nanos(config.interval()) / 64).min((shortest / 8).max(MIN_NARROWED_SLOT))
}
