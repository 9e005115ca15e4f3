use crate::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::task::Waker;
use core::time::Duration;
use std::sync::PoisonError;

use crate::sync::{Mutex, MutexGuard};

use heartbeat_core::{Action, Config, HeartbeatSet, Key};

use super::HubError;
use super::hub_clock::HubClock;
use crate::Timer;
use crate::schedule::Activity;
use crate::schedule::seed;

/// How many are woken at most between two looks at a shard: others may have it meanwhile.
const BATCH: usize = 64;

/// Some of the machines of a hub.
#[repr(align(128))] // so that no two locks share a cache line, nor a pair of them
pub(super) struct Shard<T: Timer> {
    members: Mutex<Members>,
    clock: Arc<HubClock<T>>,
}

/// Each with the waker of its task, as long as it waits in line and is to be woken; with another, as long
/// as it has not asked.
type Members = HeartbeatSet<Duration, Waker>;

/// What came of asking a machine.
pub(super) enum Polled {
    /// It need not be: the task is woken when there is something to ask for.
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

    /// Takes in a stream that is opened `now`. It has no key if it has no heartbeats (T1), or if there is
    /// no room.
    pub(super) fn open(&self, config: Config, now: Duration) -> Option<Key> {
        if config.is_disabled() {
            return None;
        }
        let nobody = Waker::noop().clone();
        let inserted = self.members().insert(&seed::with_unique_seed(config), now, nobody);
        inserted.ok()
    }

    /// Lets a stream go, if it has not gone.
    pub(super) fn close(&self, key: &mut Option<Key>) {
        if let Some(key) = key.take() {
            let waker = self.members().remove(key);
            drop(waker); // without the lock: it may be the last of a task that holds another stream
        }
    }

    /// Whether a stream has stalled (T20).
    pub(super) fn has_stalled(&self, key: Option<Key>) -> bool {
        let Some(key) = key else { return false };
        let now = self.clock.now();
        has_stalled(&mut self.members(), key, now)
    }

    /// The consumer of a stream has taken a heartbeat, and is back. Answers whether it was away for too
    /// long.
    pub(super) fn consumer_is_back(&self, key: Option<Key>) -> bool {
        let Some(key) = key else { return false };
        let now = self.clock.now();
        let mut members = self.members();
        let stalled = has_stalled(&mut members, key, now);
        if !stalled {
            report(&mut members, key, Activity::OtherBytes, now);
        }
        stalled
    }

    /// Tells a machine what happened at `at`.
    pub(super) fn report(&self, key: Option<Key>, news: Activity, at: Duration) {
        if let Some(key) = key {
            report(&mut self.members(), key, news, at);
        }
    }

    /// Tells a machine what happened at `at`, and asks it. If it has been told that its deadline `moved`,
    /// and is to wake the same task when that comes that it would have been before, it is not asked.
    pub(super) fn ask(
        &self,
        key: Option<Key>,
        (news, at): (Activity, Duration),
        now: Duration,
        moved: bool,
        waker: &Waker,
    ) -> Polled {
        let Some(key) = key else { return Polled::Detached(HubError::Full) };
        let mut members = self.members();
        // Under the lock: the task ends first, and then wakes all that are here.
        if !self.clock.is_running() {
            return Polled::Detached(HubError::Stopped);
        }
        report(&mut members, key, news, at);
        let is_known = members.get(key).is_some_and(|known| known.will_wake(waker));
        if moved && is_known {
            return Polled::Unchanged;
        }
        let action = match members.poll_deadline(key, now) {
            // Nobody stops a machine here: it has answered the task.
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
        let next = if self.clock.is_set_by(soonest) { None } else { members.next_deadline() };
        drop(members);
        drop(old);
        if let Some(next) = next.filter(|&next| !self.clock.is_set_by(next)) {
            self.clock.look_by(next);
        }
        Polled::Action(action)
    }

    /// Whether a task that has asked was woken, or its stream is gone. Otherwise `waker` wakes it.
    pub(super) fn was_woken(&self, key: Option<Key>, waker: &Waker) -> bool {
        let Some(key) = key else { return true };
        let mut members = self.members();
        let Some(Some(known)) = members.get_mut(key) else { return true };
        let old =
            if known.will_wake(waker) { None } else { Some(mem::replace(known, waker.clone())) };
        drop(members);
        drop(old);
        false
    }

    /// Wakes all whose time has come, and answers when the next one's comes.
    pub(super) fn wake_due(&self, due: &mut Vec<Waker>) -> Option<Duration> {
        loop {
            self.members().next_deadline()?;
            let now = self.clock.now(); // without the lock: the timer is not ours
            let mut members = self.members();
            let mut all = false;
            while due.len() < BATCH {
                let Some(key) = members.pop_due(now) else {
                    all = true;
                    break;
                };
                // Of a stream its owner alone knows what to tell the machine, and asks it. While a
                // heartbeat is in flight there is nothing to tell, and nobody polls to ask (T20).
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

    /// Wakes everybody, whose time will not come any more.
    pub(super) fn wake_all(&self) {
        let wakers: Vec<_> = self.members().take_values().collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Timer> Drop for Shard<T> {
    /// The task ends with the last one.
    fn drop(&mut self) {
        self.clock.wake_task();
    }
}

/// Whether a member's heartbeat is in flight for too long. The member hears of it by this at the latest: the
/// task may not have come to look after it.
fn has_stalled(members: &mut Members, key: Key, at: Duration) -> bool {
    let is_there = members.get_mut(key).is_some(); // who is gone counts as stopped
    is_there && members.poll_in_flight(key, at) && members.is_stopped(key)
}

fn report(members: &mut Members, key: Key, news: Activity, at: Duration) {
    match news {
        Activity::None => false,
        Activity::Event => members.on_send(key, at),
        Activity::OtherBytes => members.on_bytes(key, at),
    };
}
