//! Many streams behind one deadline. The module's structure, and why it is so:
//!
//! - **A member is a [`Heartbeat`] that was put away.** What the machines of one configuration share is
//!   kept once, in a class ([`classes`]); what a member alone remembers takes 28 bytes ([`node`]). At
//!   each call the two are put together, the very machine is asked, and what it remembers is put away
//!   again. So the rules are written once, and a member cannot answer differently from a lone machine.
//! - **Members wait in wheels** ([`wheel`]), one for each length of slot, which is a 64th of the
//!   interval. All deadlines of an interval lie within one turn of its wheel, so a member is filed in
//!   its slot at once and moved no more until that is up: there are no levels, and nothing cascades. A
//!   heap would move a logarithm of members, and compare their deadlines, at each call; a queue for
//!   each interval would be in order only without jitter, giving up, stalling, and sends that are
//!   heard of late. Slots of a length that fits all intervals, such as powers of two, would wake the
//!   process up to twice as often as 64 times per interval.
//! - **SlotLists are rings through the members** ([`lines`]). What has come up is joined slot by slot, not
//!   member by member, so a call after a long time moves no more than any other.
//! - **Segments** ([`arena`]) grow without a copy of what is there, and are given back.
//!
//! How many members a call reads or writes at most, counted by the tests:
//!
//! | `on_send` and the other reports | `insert` | `pop_due` | `remove` | `poll_deadline`, `poll_in_flight` |
//! |---|---|---|---|---|
//! | 1 | 2 | 3 | 3 | 6 |

use core::fmt;
use core::time::Duration;

use crate::compact_instant::CompactInstant;
use crate::{Action, Config, Heartbeat, Instant};
use arena::Arena;
use config_table::ConfigTable;
use slots::SlotLists;

mod arena;
mod config_table;
mod node;
mod segment;
mod slots;
mod wheel;

pub use arena::Key;

/// Many [`Heartbeat`]s behind one deadline (T15), each with a value of its owner's. Holds no clock:
/// every call is told the time.
///
/// A member has a [`Key`]. What happens to it is reported by that, as to a lone machine; a key whose
/// member is gone is refused. The time comes from one alarm for all:
///
/// 1. Wait until [`next_deadline`](Self::next_deadline).
/// 2. [`pop_due`](Self::pop_due) names the members whose time has come, one at each call.
/// 3. [`poll_deadline`](Self::poll_deadline) asks each, and puts it back in line.
///
/// A report puts nobody elsewhere. So a member that has sent meanwhile is named at the deadline that it
/// had before, answers that it waits on, and is put in line for that: a stream that is never quiet is
/// named once per interval. There is also time then to report a send of which the fleet has not heard
/// yet: who sends need not tell each one, as long as the last is reported before the question.
///
/// # Precision
///
/// A member is named as soon as the 64th of its interval begins in which its deadline lies: up to that
/// much early, never late, and together with all others of that 64th. Of one interval there are at most
/// 64 deadlines per interval, however many members. [`granularity`](Self::granularity) tells how early
/// exactly. Giving up and stalling are never early, but late by as much; where the time for one of them
/// is set to less than an eighth of the interval, the granularity is an eighth of that time at most.
/// Giving up is late by a 2^30th of its time besides. If members have more than 32 different intervals
/// at once, further ones may share, at a granularity between a 128th and a 64th.
///
/// Time goes on for 73 years after the fleet was made; what would be due later never is (T8).
///
/// # Time that runs back
///
/// A question is put at the latest time at which any was (T7). A report is taken as told, so that it
/// may come late, but never as earlier than the one before it on the same member. While the time does
/// not run towards a heartbeat, since one is in flight or the silence was given up, a report counts as
/// made no earlier than the latest question.
///
/// # Memory
///
/// 28 bytes for a member, and its value. Members are kept in segments of 256, which are given back when
/// they are empty, but for one; of each that was ever there 24 bytes are left. There is 1 kB for each
/// different length of interval. Only [`insert`](Self::insert) and [`remove`](Self::remove) allocate or
/// free, and no call looks at more than six members, however many there are.
///
/// # Example
///
/// ```
/// use core::time::Duration;
/// use heartbeat_core::{Action, Config, HeartbeatSet};
///
/// let at = Duration::from_secs; // time since an epoch of ours
/// let mut fleet = HeartbeatSet::new(at(0));
/// let quiet = fleet.insert(&Config::every(at(16)), at(0), "quiet")?;
/// let busy = fleet.insert(&Config::every(at(16)), at(0), "busy")?;
///
/// /// Asks all whose time has come, and tells who is to send a heartbeat.
/// fn due(fleet: &mut HeartbeatSet<Duration, &'static str>, now: Duration) -> Vec<&'static str> {
///     let mut beats = Vec::new();
///     while let Some(key) = fleet.pop_due(now) {
///         if let Some(Action::SendHeartbeat { .. }) = fleet.poll_deadline(key, now) {
///             beats.extend(fleet.get(key));
///             fleet.on_heartbeat_sent(key, now); // in earnest, once it is sent
///         }
///     }
///     beats
/// }
/// assert!(due(&mut fleet, at(0)).is_empty()); // who is new is asked for its first deadline
///
/// fleet.on_send(busy, at(10));
/// assert_eq!(fleet.next_deadline(), Some(at(16)));
/// assert_eq!(due(&mut fleet, at(16)), ["quiet"]);
/// assert_eq!(fleet.next_deadline(), Some(at(26)));
///
/// assert_eq!(fleet.remove(busy), Some("busy"));
/// assert!(!fleet.on_send(busy, at(20)), "the key is stale");
/// assert_eq!(fleet.next_deadline(), Some(at(32)));
/// # let _ = quiet;
/// # Ok::<(), heartbeat_core::HeartbeatSetFull>(())
/// ```
#[must_use = "a set does nothing unless it is asked"]
pub struct HeartbeatSet<I, T> {
    epoch: I,
    /// The latest time of a question.
    latest: CompactInstant,
    arena: Arena<T>,
    slots: SlotLists,
    configs: ConfigTable,
}

impl<I: Instant, T> HeartbeatSet<I, T> {
    /// A fleet without members. No member's time begins before `now`: what is reported for an earlier
    /// instant counts as of `now`.
    pub const fn new(now: I) -> Self {
        Self {
            epoch: now,
            latest: CompactInstant::ZERO,
            arena: Arena::new(),
            slots: SlotLists::new(),
            configs: ConfigTable::new(),
        }
    }

    /// Takes in a stream that is opened `now`, and what its owner wants to find with it.
    ///
    /// It counts as due at once, to be asked for its first deadline: ask it right away, or leave it to
    /// the next [`pop_due`](Self::pop_due). Fails, and drops the value, if there are 2^31 members or
    /// 65,536 different configurations, seeds and promptness not counted.
    pub fn insert(&mut self, config: &Config, now: I, value: T) -> Result<Key, HeartbeatSetFull> {
        let now = CompactInstant::since(self.epoch, now);
        let id = self
            .configs
            .intern(config, &mut self.slots, self.latest)
            .ok_or(HeartbeatSetFull(()))?;
        let Some(key) = self.arena.insert(value, id) else {
            self.configs.release(id, &mut self.slots);
            return Err(HeartbeatSetFull(()));
        };
        let resolution = self.configs.get(id).resolution;
        let node = self.arena.linked(key.index());
        node.set_state(Heartbeat::new(config, now).save(), resolution);
        self.slots.push_due(&mut self.arena, key.index());
        Ok(key)
    }

    /// Lets a member go, at once, and gives back what its owner kept with it. `None` if it is gone already.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let id = self.arena.node(key)?.config;
        self.slots.unlink(&mut self.arena, key.index());
        self.configs.release(id, &mut self.slots);
        self.arena.remove(key)
    }

    /// What its owner keeps with a member.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&T> {
        self.arena.get(key)?.1.as_ref()
    }

    /// The place of what its owner keeps with a member, to change it, or to take it out for a while.
    /// `None` if the member is gone.
    #[must_use]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut Option<T>> {
        self.arena.value_mut(key)
    }

    /// Takes out what the owners keep with all their members, who stay. In no order.
    pub fn take_values(&mut self) -> impl Iterator<Item = T> {
        self.arena.values_mut().filter_map(Option::take)
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.arena.len()
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When to ask [`pop_due`](Self::pop_due) again, unless something is inserted or asked before:
    /// an instant that has passed if somebody is due already, and `None` if nobody waits for anything.
    ///
    /// Reports do not change it. It costs a look at each different interval, and at no member.
    #[must_use]
    pub fn next_deadline(&self) -> Option<I> {
        self.slots.next(self.latest)?.instant(self.epoch)
    }

    /// Takes out of line one member whose time has come, so that it can be asked. `None` if there is
    /// nobody else.
    ///
    /// Whoever takes a member has to ask it: until [`poll_deadline`](Self::poll_deadline) is called it
    /// is not named again. A member that has sent meanwhile is named too, and so is, once a gap, one
    /// that could be called back to life by a report, as while its heartbeat is in flight.
    pub fn pop_due(&mut self, now: I) -> Option<Key> {
        let now = self.advance_clock(now);
        let index = self.slots.pop_due(&mut self.arena, now)?;
        Some(self.arena.key(index))
    }

    /// What a member has to do at `now`, as [`Heartbeat::poll_deadline`] answers it. `None` if it is
    /// gone.
    ///
    /// It then stands in line for what comes next, wherever it stood before. The instant that it is
    /// said to wait for is that of the lone machine, with the [`granularity`](Self::granularity) as
    /// there; the fleet sees to it.
    pub fn poll_deadline(&mut self, key: Key, now: I) -> Option<Action<I>> {
        Some(match self.poll_member(key, now, Heartbeat::poll_deadline)? {
            Action::WaitUntil(at) => {
                at.instant(self.epoch).map_or(Action::WaitForever, Action::WaitUntil)
            }
            Action::WaitForever => Action::WaitForever,
            Action::SendHeartbeat { late } => Action::SendHeartbeat { late },
            Action::GiveUp => Action::GiveUp,
            Action::Stalled => Action::Stalled,
            Action::Stopped => Action::Stopped,
        })
    }

    /// Looks after a member while its heartbeat is in flight, for an owner who cannot ask meanwhile:
    /// whether there is something for it to hear. Otherwise the member need not be asked, though it was
    /// named: it stands in line again. Of a member without a heartbeat in flight, which has to be asked,
    /// there is.
    ///
    /// If the heartbeat was in flight for too long, the member is stopped by this (T20). That the silence
    /// is to be given up is left for [`poll_deadline`](Self::poll_deadline) to say (T12).
    pub fn poll_in_flight(&mut self, key: Key, now: I) -> bool {
        if !self.is_in_flight(key) {
            return true;
        }
        let action = self.poll_member(key, now, Heartbeat::poll_in_flight);
        matches!(action, Some(Action::Stalled | Action::GiveUp))
    }

    /// Reports that a real event was handed to the transport, as [`Heartbeat::on_send`] has it. Touches
    /// no other member, and moves none. Whether there is such a member, as with all reports.
    pub fn on_send(&mut self, key: Key, now: I) -> bool {
        self.report(key, now, Heartbeat::on_send)
    }

    /// Reports bytes that are no real event, as [`Heartbeat::on_bytes`] has it.
    pub fn on_bytes(&mut self, key: Key, now: I) -> bool {
        self.report(key, now, Heartbeat::on_bytes)
    }

    /// Reports that the heartbeat was handed over, as [`Heartbeat::on_heartbeat_sent`] has it.
    pub fn on_heartbeat_sent(&mut self, key: Key, now: I) -> bool {
        self.report(key, now, Heartbeat::on_heartbeat_sent)
    }

    /// Reports that the heartbeat could not be sent (T10). The member is stopped.
    pub fn on_heartbeat_failed(&mut self, key: Key) -> bool {
        self.report(key, self.epoch, |heartbeat, _| heartbeat.on_heartbeat_failed())
    }

    /// Ends the heartbeats of a member (T9). It stays until it is removed.
    pub fn stop(&mut self, key: Key) -> bool {
        self.report(key, self.epoch, |heartbeat, _| heartbeat.stop())
    }

    /// Whether a heartbeat of that member was asked for and is still owed; not if the member is gone.
    #[must_use]
    pub fn is_in_flight(&self, key: Key) -> bool {
        self.restore(key).is_some_and(|heartbeat| heartbeat.is_in_flight())
    }

    /// Whether the heartbeats of that member have ended for good, as they have if it is gone.
    #[must_use]
    pub fn is_stopped(&self, key: Key) -> bool {
        self.restore(key).is_none_or(|heartbeat| heartbeat.is_stopped())
    }

    /// By how much a heartbeat of that member may be early, and giving up or stalling late (T4): less
    /// than a 64th of the interval.
    #[must_use]
    pub fn granularity(&self, key: Key) -> Option<Duration> {
        let (node, _) = self.arena.get(key)?;
        let slot = self.slots.width(self.configs.get(node.config).wheel);
        Some(Duration::from_nanos(slot.saturating_sub(1)))
    }

    /// Asks the machine of a member, and puts that in line for what comes next.
    fn poll_member(
        &mut self,
        key: Key,
        now: I,
        poll: impl FnOnce(&mut Heartbeat<CompactInstant>, CompactInstant) -> Action<CompactInstant>,
    ) -> Option<Action<CompactInstant>> {
        let now = self.advance_clock(now);
        let node = self.arena.node(key)?;
        let config = self.configs.get(node.config);
        let mut heartbeat = config.template.restore(node.state(config.resolution));
        let action = poll(&mut heartbeat, now);
        node.set_state(heartbeat.save(), config.resolution);

        self.slots.unlink(&mut self.arena, key.index());
        if let Some(at) = heartbeat.next_wakeup() {
            self.slots.insert_at(&mut self.arena, key.index(), config.wheel, at, now);
        }
        Some(action)
    }

    fn report(
        &mut self,
        key: Key,
        now: I,
        report: impl FnOnce(&mut Heartbeat<CompactInstant>, CompactInstant),
    ) -> bool {
        let Some(node) = self.arena.node(key) else { return false };
        let config = self.configs.get(node.config);
        let state = node.state(config.resolution);
        let now = CompactInstant::since(self.epoch, now);
        let now = if state.is_armed() { now } else { now.max(self.latest) };
        let mut heartbeat = config.template.restore(state);
        report(&mut heartbeat, now);
        node.set_state(heartbeat.save(), config.resolution);
        true
    }

    fn restore(&self, key: Key) -> Option<Heartbeat<CompactInstant>> {
        let (node, _) = self.arena.get(key)?;
        let config = self.configs.get(node.config);
        Some(config.template.restore(node.state(config.resolution)))
    }

    fn advance_clock(&mut self, now: I) -> CompactInstant {
        self.latest = self.latest.max(CompactInstant::since(self.epoch, now)); // T7
        self.latest
    }
}

impl<I, T> fmt::Debug for HeartbeatSet<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch: _, latest, arena, slots: _, configs } = self;
        f.debug_struct("HeartbeatSet")
            .field("members", &arena.len())
            .field("configs", configs)
            .field("latest", latest)
            .finish_non_exhaustive()
    }
}

/// There are 2^31 members in the fleet, or 65,536 different configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatSetFull(());

impl fmt::Display for HeartbeatSetFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the set is full: spread the streams over several, or use fewer configurations")
    }
}

impl core::error::Error for HeartbeatSetFull {}

#[cfg(test)]
mod tests;
