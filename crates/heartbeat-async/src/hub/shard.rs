use alloc::vec::Vec;
use core::mem;
use core::task::Waker;
use core::time::Duration;

use heartbeat_core::{Action, Config, HeartbeatSet, Key};

use super::HubError;
use super::hub_clock::HubClock;
use crate::Timer;
use crate::schedule::Activity;
use crate::schedule::seed;
use crate::sync::{Arc, Mutex, MutexGuard, lock};

/// How many tasks are woken at once. Then the lock is released for other threads.
const BATCH: usize = 64;

/// Some of the heartbeats of a hub.
#[repr(align(128))] // so that no two locks share a cache line, nor a pair of cache lines
pub(super) struct Shard<T: Timer> {
    members: Mutex<Members>,
    clock: Arc<HubClock<T>>,
}

/// Each member has the waker of its task while it waits to be due, and `None` if it is not to be woken. Before its
/// first poll it has a waker that does nothing.
type Members = HeartbeatSet<Duration, Waker>;

/// The result of polling a member.
pub(super) enum Polled {
    /// The member was not polled: its task is woken when it is due.
    Unchanged,
    Action(Action<Duration>),
    Detached(HubError),
}

impl<T: Timer> Shard<T> {
    pub(super) fn new(clock: Arc<HubClock<T>>) -> Self {
        Self { members: Mutex::new(HeartbeatSet::new(Duration::ZERO)), clock }
    }

    pub(super) fn clock(&self) -> &HubClock<T> {
        &self.clock
    }

    pub(super) fn len(&self) -> usize {
        self.members().len()
    }

    /// Inserts a stream that is opened `now`. Returns `None` if its heartbeats are disabled (T1), or if the shard is
    /// full.
    pub(super) fn insert(&self, config: Config, now: Duration) -> Option<Key> {
        if config.is_disabled() {
            return None;
        }
        let waker = Waker::noop().clone();
        let inserted = self.members().insert(&seed::with_unique_seed(config), now, waker);
        inserted.ok()
    }

    /// Removes a stream, unless it was removed before.
    pub(super) fn remove(&self, key: &mut Option<Key>) {
        if let Some(key) = key.take() {
            let waker = self.members().remove(key);
            drop(waker); // without the lock: it may drop a task that has another stream
        }
    }

    /// Whether a stream has stalled (T20).
    pub(super) fn has_stalled(&self, key: Option<Key>) -> bool {
        let Some(key) = key else { return false };
        let now = self.clock.now();
        has_stalled(&mut self.members(), key, now)
    }

    /// Reports that a consumer polls again after it took a heartbeat. Returns whether the stream has stalled.
    pub(super) fn on_consumer_polled(&self, key: Option<Key>) -> bool {
        let Some(key) = key else { return false };
        let now = self.clock.now();
        let mut members = self.members();
        let stalled = has_stalled(&mut members, key, now);
        if !stalled {
            report(&mut members, key, Activity::OtherBytes, now);
        }
        stalled
    }

    /// Reports what happened at `at`.
    pub(super) fn report(&self, key: Option<Key>, activity: Activity, at: Duration) {
        if let Some(key) = key {
            report(&mut self.members(), key, activity, at);
        }
    }

    /// Reports what happened at `at`, and polls the member.
    ///
    /// If the report has `moved` the deadline to a later instant, and the member has the waker of this task, the
    /// member is not polled: the task is woken soon enough.
    pub(super) fn poll_member(
        &self,
        key: Option<Key>,
        (activity, at): (Activity, Duration),
        now: Duration,
        moved: bool,
        waker: &Waker,
    ) -> Polled {
        let Some(key) = key else { return Polled::Detached(HubError::Full) };
        let mut members = self.members();
        // Checked under the lock, because the ending task sets the flag before it wakes all members.
        if !self.clock.is_running() {
            return Polled::Detached(HubError::Stopped);
        }
        report(&mut members, key, activity, at);
        let is_known = members.get(key).is_some_and(|known| known.will_wake(waker));
        if moved && is_known {
            return Polled::Unchanged;
        }
        let action = match members.poll_deadline(key, now) {
            // It stopped when the task of the hub polled it, since it has stalled.
            Some(Action::Stopped) => Action::Stalled,
            Some(action) => action,
            None => Action::Stopped,
        };
        let is_to_be_woken = matches!(action, Action::WaitUntil(_) | Action::SendHeartbeat { .. });
        let old = members
            .get_mut(key)
            .filter(|_| !(is_to_be_woken && is_known))
            .and_then(|known| mem::replace(known, is_to_be_woken.then(|| waker.clone())));
        let soonest = match action {
            Action::WaitUntil(at) => {
                at.saturating_sub(members.granularity(key).unwrap_or_default())
            }
            _ => Duration::ZERO,
        };
        let next = if self.clock.wakes_by(soonest) { None } else { members.next_deadline() };
        drop(members);
        drop(old);
        if let Some(next) = next.filter(|&next| !self.clock.wakes_by(next)) {
            self.clock.schedule_wake(next);
        }
        Polled::Action(action)
    }

    /// Wakes the tasks of all members that are due. Returns the next deadline.
    pub(super) fn wake_due(&self, due: &mut Vec<Waker>) -> Option<Duration> {
        loop {
            self.members().next_deadline()?;
            let now = self.clock.now(); // without the lock: the timer may run any code
            let mut members = self.members();
            let mut all = false;
            while due.len() < BATCH {
                let Some(key) = members.pop_due(now) else {
                    all = true;
                    break;
                };
                // The stream has reports for the member, and polls it. But no task polls a stream whose heartbeat is
                // in flight, and there is nothing to report: this checks whether it has stalled (T20).
                if members.poll_in_flight(key, now) {
                    due.extend(members.get_mut(key).and_then(Option::take));
                }
            }
            let next = members.next_deadline();
            drop(members);
            due.drain(..).for_each(Waker::wake);
            if all {
                return next;
            }
        }
    }

    /// Removes all members, and wakes their tasks.
    pub(super) fn wake_all(&self) {
        let wakers: Vec<_> = self.members().take_values().collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        lock(&self.members)
    }
}

impl<T: Timer> Drop for Shard<T> {
    /// Wakes the task, which ends with the last shard.
    fn drop(&mut self) {
        self.clock.wake_task();
    }
}

/// Whether the heartbeat of a member is in flight for too long. Polls the member, since the task may not have done so
/// yet.
fn has_stalled(members: &mut Members, key: Key, at: Duration) -> bool {
    let is_there = members.get_mut(key).is_some(); // `is_stopped` is true of a member that was removed
    is_there && members.poll_in_flight(key, at) && members.is_stopped(key)
}

fn report(members: &mut Members, key: Key, activity: Activity, at: Duration) {
    match activity {
        Activity::None => false,
        Activity::Event => members.on_send(key, at),
        Activity::OtherBytes => members.on_bytes(key, at),
    };
}
