//! Many streams behind one deadline. The structure of the module, and the reasons for it:
//!
//! - **A member is a saved [`Heartbeat`].** The fields that all members of one configuration share are
//!   stored once, in a [`config_table`]; the rest of a member takes 28 bytes ([`node`]). Each call
//!   restores the `Heartbeat`, calls it, and saves its state again. The rules are therefore written
//!   once, and a member cannot behave differently from a single `Heartbeat`.
//! - **Members wait in timer wheels** ([`wheel`]), one for each slot width, which is a 64th of the
//!   interval. All deadlines of an interval lie within one revolution of its wheel, so a member is put
//!   into its slot at once and stays there until the slot is due: there are no levels, and nothing
//!   cascades. Alternatives: a heap moves a logarithmic number of members, and compares their
//!   deadlines, at each call. A queue for each interval is in order only without jitter, giving up,
//!   stall detection and late reports. Slots of one width for all intervals, such as powers of two,
//!   wake the process up to twice as often.
//! - **The lists are rings through the members** ([`slots`]). Slots that are due are spliced as a
//!   whole, not member by member, so a call after a long time moves no more members than any other.
//! - **Segments** ([`arena`]) grow without copying existing members, and are freed when they are empty.
//!
//! The number of members that a call reads or writes at most, counted by a test:
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

/// Many [`Heartbeat`]s behind one deadline, each with a value of its owner
/// ([T15](crate::rules#t15-many-streams-one-deadline)). It has no clock: the caller passes the time to
/// every call.
///
/// A member is named by its [`Key`]. Reports take the key, and behave as for a single [`Heartbeat`];
/// the key of a removed member is rejected. One timer serves all members:
///
/// 1. Wait until [`next_deadline`](Self::next_deadline).
/// 2. [`pop_due`](Self::pop_due) returns the members that are due, one per call.
/// 3. [`poll_deadline`](Self::poll_deadline) decides for each of them, and queues it again.
///
/// A report does not move its member. A member that has sent an event meanwhile is popped at its old deadline,
/// has nothing to do, and is queued for its new deadline. So a stream that is never quiet is popped once per
/// interval. A sender need not report every event, as long as it reports the last one before the poll.
///
/// # Precision
///
/// A member is due at the start of the 64th of its interval that contains its deadline: early by less
/// than that 64th, never late, and together with all other members of that 64th. The members with one
/// interval therefore have at most 64 deadlines per interval, whatever their number.
/// [`granularity`](Self::granularity) returns the exact value.
///
/// Giving up and stalling are never early, but late by up to the granularity. If their time is less than
/// an eighth of the interval, the granularity is at most an eighth of that time, or 250 ms if that is
/// longer. Giving up is late by a further 2^30th of its time at most.
///
/// With several intervals at once, all but one have a granularity between a 128th and a 64th, such that
/// their deadlines coincide. Together they have at most 128 deadlines per shortest of their intervals, however
/// many there are, in addition to the 64 of the remaining one.
///
/// The clock of a set ends 73 years after its creation; later deadlines are never reached
/// ([T8](crate::rules#t8-no-overflow)).
///
/// # A clock that steps back
///
/// A poll is made at the latest time of any poll ([T7](crate::rules#t7-monotonic)). A report is applied
/// at its own time, so that it may come late, but not before an earlier report on the same member. If
/// the member has no deadline, because its heartbeat is in flight or has given up, a report is applied
/// no earlier than the latest poll.
///
/// # Memory
///
/// 28 bytes per member, and its value. Members are stored in segments of 256. Empty segments are freed,
/// except for one; 24 bytes remain of each segment. Each different interval takes 1 kB. Only
/// [`insert`](Self::insert) and [`remove`](Self::remove) allocate or free memory, and no call accesses
/// more than six members, whatever the size of the set.
///
/// # Example
///
/// ```
/// use core::time::Duration;
/// use heartbeat_core::{Action, Config, HeartbeatSet};
///
/// let at = Duration::from_secs; // time since an epoch
/// let mut set = HeartbeatSet::new(at(0));
/// let quiet = set.insert(&Config::every(at(16)), at(0), "quiet")?;
/// let busy = set.insert(&Config::every(at(16)), at(0), "busy")?;
///
/// /// Polls the members that are due, and returns those that send a heartbeat.
/// fn due(set: &mut HeartbeatSet<Duration, &'static str>, now: Duration) -> Vec<&'static str> {
///     let mut due = Vec::new();
///     while let Some(key) = set.pop_due(now) {
///         if let Some(Action::SendHeartbeat { .. }) = set.poll_deadline(key, now) {
///             due.extend(set.get(key));
///             set.on_heartbeat_sent(key, now); // in a real program: once it was sent
///         }
///     }
///     due
/// }
/// assert!(due(&mut set, at(0)).is_empty()); // a new member is polled for its first deadline
///
/// set.on_send(busy, at(10));
/// assert_eq!(set.next_deadline(), Some(at(16)));
/// assert_eq!(due(&mut set, at(16)), ["quiet"]);
/// assert_eq!(set.next_deadline(), Some(at(26)));
///
/// assert_eq!(set.remove(busy), Some("busy"));
/// assert!(!set.on_send(busy, at(20)), "the key is stale");
/// assert_eq!(set.next_deadline(), Some(at(32)));
/// # let _ = quiet;
/// # Ok::<(), heartbeat_core::HeartbeatSetFull>(())
/// ```
#[must_use = "a set does nothing unless it is polled"]
pub struct HeartbeatSet<I, T> {
    epoch: I,
    /// The latest time of a poll (T7).
    latest: CompactInstant,
    arena: Arena<T>,
    slots: SlotLists,
    configs: ConfigTable,
}

impl<I: Instant, T> HeartbeatSet<I, T> {
    /// An empty set. An instant before `now` counts as `now` in all later calls.
    pub const fn new(now: I) -> Self {
        Self {
            epoch: now,
            latest: CompactInstant::ZERO,
            arena: Arena::new(),
            slots: SlotLists::new(),
            configs: ConfigTable::new(),
        }
    }

    /// Inserts a stream that is opened `now`, with a value of its owner.
    ///
    /// The new member is due at once. Poll it right away, or leave that to the next
    /// [`pop_due`](Self::pop_due).
    ///
    /// # Errors
    ///
    /// Fails, and drops `value`, if the set has 2^31 members or 65,536 different configurations; seed and
    /// immediate first heartbeat do not count as a difference.
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

    /// Removes a member and returns its value. `None` if the key is stale or the value was taken.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let id = self.arena.node(key)?.config;
        self.slots.unlink(&mut self.arena, key.index());
        self.configs.release(id, &mut self.slots);
        self.arena.remove(key)
    }

    /// The value of a member. `None` if the key is stale or the value was taken.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&T> {
        self.arena.get(key)?.1.as_ref()
    }

    /// The value of a member, to change it or to take it out. `None` if the key is stale.
    #[must_use]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut Option<T>> {
        self.arena.value_mut(key)
    }

    /// Takes the values out of all members, in no particular order. The members stay in the set.
    pub fn take_values(&mut self) -> impl Iterator<Item = T> {
        self.arena.values_mut().filter_map(Option::take)
    }

    /// The number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.arena.len()
    }

    /// Whether the set has no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When to call [`pop_due`](Self::pop_due) again, unless a member is inserted or polled before.
    ///
    /// It lies in the past if a member is due already, and is `None` if no member has a deadline.
    /// Reports do not change it. The call takes time proportional to the number of different intervals,
    /// and accesses no member.
    #[must_use]
    pub fn next_deadline(&self) -> Option<I> {
        self.slots.next(self.latest)?.instant(self.epoch)
    }

    /// Pops one member that is due at `now`. `None` if there is none left.
    ///
    /// The caller must poll the member: it is not returned again until
    /// [`poll_deadline`](Self::poll_deadline) was called. A member that has sent an event meanwhile is
    /// returned too. So is, once per interval, a member to which a report could give a deadline, such as one
    /// whose heartbeat is in flight.
    pub fn pop_due(&mut self, now: I) -> Option<Key> {
        let now = self.advance_clock(now);
        let index = self.slots.pop_due(&mut self.arena, now)?;
        Some(self.arena.key(index))
    }

    /// Decides what a member does at `now`, as [`Heartbeat::poll_deadline`] does. `None` if the key is
    /// stale.
    ///
    /// The member is queued for its next deadline. The returned instant is that of a single
    /// [`Heartbeat`] with this [`granularity`](Self::granularity); the set watches it, so the caller
    /// need not.
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

    /// Polls a popped member on behalf of an owner that cannot poll while its heartbeat is in flight.
    /// Returns whether the owner has to call [`poll_deadline`](Self::poll_deadline).
    ///
    /// `false` means that nothing has happened, and that the member is queued again. Returns `true` if
    /// no heartbeat is in flight. If the heartbeat was in flight for too long, this call stops the
    /// member ([T20](crate::rules#t20-stalled)). Giving up is left for `poll_deadline` to return
    /// ([T12](crate::rules#t12-give-up)).
    pub fn poll_in_flight(&mut self, key: Key, now: I) -> bool {
        if !self.is_in_flight(key) {
            return true;
        }
        let action = self.poll_member(key, now, Heartbeat::poll_in_flight);
        matches!(action, Some(Action::Stalled | Action::GiveUp))
    }

    /// Reports that an event was sent, as [`Heartbeat::on_send`] does. It accesses no other member, and
    /// moves none. Returns `false` if the key is stale, as all reports do.
    pub fn on_send(&mut self, key: Key, now: I) -> bool {
        self.report(key, now, Heartbeat::on_send)
    }

    /// Reports that other bytes were sent, as [`Heartbeat::on_bytes`] does.
    pub fn on_bytes(&mut self, key: Key, now: I) -> bool {
        self.report(key, now, Heartbeat::on_bytes)
    }

    /// Reports that the heartbeat was sent, as [`Heartbeat::on_heartbeat_sent`] does.
    pub fn on_heartbeat_sent(&mut self, key: Key, now: I) -> bool {
        self.report(key, now, Heartbeat::on_heartbeat_sent)
    }

    /// Reports that the heartbeat could not be sent. The member is stopped
    /// ([T10](crate::rules#t10-failed)).
    pub fn on_heartbeat_failed(&mut self, key: Key) -> bool {
        self.report(key, self.epoch, |heartbeat, _| heartbeat.on_heartbeat_failed())
    }

    /// Ends the heartbeats of a member, which stays in the set until it is removed
    /// ([T9](crate::rules#t9-stop)).
    pub fn stop(&mut self, key: Key) -> bool {
        self.report(key, self.epoch, |heartbeat, _| heartbeat.stop())
    }

    /// Whether a heartbeat of the member is in flight. `false` if the key is stale.
    #[must_use]
    pub fn is_in_flight(&self, key: Key) -> bool {
        self.restore(key).is_some_and(|heartbeat| heartbeat.is_in_flight())
    }

    /// Whether the heartbeats of the member have ended for good. `true` if the key is stale.
    #[must_use]
    pub fn is_stopped(&self, key: Key) -> bool {
        self.restore(key).is_none_or(|heartbeat| heartbeat.is_stopped())
    }

    /// By how much heartbeats of the member may be early, and giving up and stalling late
    /// ([T4](crate::rules#t4-due)): less than a 64th of the interval. `None` if the key is stale.
    #[must_use]
    pub fn granularity(&self, key: Key) -> Option<Duration> {
        let (node, _) = self.arena.get(key)?;
        let slot = self.slots.width(self.configs.get(node.config).wheel);
        Some(Duration::from_nanos(slot.saturating_sub(1)))
    }

    /// Restores the heartbeat of a member, polls it, saves it, and queues the member for its next deadline.
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

    /// Restores the heartbeat of a member, applies a report, and saves it.
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

/// The set has 2^31 members or 65,536 different configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatSetFull(());

impl fmt::Display for HeartbeatSetFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the set is full: it holds at most 2^31 members and 65,536 different configurations",
        )
    }
}

impl core::error::Error for HeartbeatSetFull {}

#[cfg(test)]
mod tests;
