//! A set compared with single heartbeats: every call on a member is played to a [`Heartbeat`] with the same
//! granularity too, and both must answer alike. When a member is due is compared with the deadlines of
//! the single heartbeats.

#![allow(unreachable_pub, reason = "a module of several test programs")]
#![allow(clippy::unchecked_time_subtraction, reason = "a test that underflows fails")]

use std::time::Duration;

use heartbeat_core::{Action, Config, Heartbeat, HeartbeatSet, Jitter, Key};

/// The instant of the tests: the time since an epoch.
pub type At = Duration;

/// The next call. A member is given by its index, modulo the number of members.
#[derive(Debug, Clone, Copy)]
pub enum SetOp {
    Insert(Config, SetTime),
    Remove(usize),
    Send(usize, SetTime),
    Bytes(usize, SetTime),
    Sent(usize, SetTime),
    Failed(usize),
    Stop(usize),
    /// Polls a member, due or not.
    Poll(usize, SetTime),
    /// Pops a member, and polls it.
    PopAndPoll(SetTime),
    /// Pops a member, and does not poll it yet.
    PopOnly(SetTime),
    /// Pops and polls all due members.
    Drain(SetTime),
    /// Uses the key of a removed member.
    Stale(usize),
}

/// When the call happens.
#[derive(Debug, Clone, Copy)]
pub enum SetTime {
    Same,
    Later(Duration),
    Earlier(Duration),
    /// At the next deadline of the set, or this long before or after it.
    OnTime,
    BeforeDeadline(Duration),
    AfterDeadline(Duration),
}

/// A set, and the single heartbeats.
pub struct SetWithReference {
    epoch: At,
    set: HeartbeatSet<At, usize>,
    /// The latest time of a poll.
    latest: At,
    members: Vec<Member>,
    removed: Vec<Key>,
    inserted: usize,
}

struct Member {
    key: Key,
    id: usize,
    config: Config,
    reference: Heartbeat<At>,
    granularity: Duration,
    /// The latest time of a report.
    last_report: At,
    gave_up: bool,
    state: MemberState,
}

/// Whether a member may be due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MemberState {
    /// Not polled yet, and due at once.
    New,
    /// Popped, and not polled yet.
    Popped,
    /// Polled, and not due before this instant; never, if `None`.
    Polled(Option<At>),
}

/// Later instants are not compared: the clock of the set is about to end.
const LONGEST: Duration = Duration::from_secs(1_900_000_000); // 60 years

impl SetWithReference {
    pub fn new(epoch: At) -> Self {
        let set = HeartbeatSet::new(epoch);
        Self { epoch, set, latest: epoch, members: Vec::new(), removed: Vec::new(), inserted: 0 }
    }

    /// Plays the call to both.
    ///
    /// # Panics
    ///
    /// If the set and the heartbeats differ.
    pub fn play(&mut self, op: SetOp) {
        match op {
            SetOp::Insert(config, when) => self.insert(config, self.at(when)),
            SetOp::Remove(nth) => self.remove(nth),
            SetOp::Send(nth, when) => {
                self.report(nth, when, HeartbeatSet::on_send, Heartbeat::on_send);
                if let Some(nth) = self.nth(nth) {
                    self.members[nth].gave_up &= self.members[nth].reference.is_stopped();
                }
            }
            SetOp::Bytes(nth, when) => {
                self.report(nth, when, HeartbeatSet::on_bytes, Heartbeat::on_bytes);
            }
            SetOp::Sent(nth, when) => {
                self.report(
                    nth,
                    when,
                    HeartbeatSet::on_heartbeat_sent,
                    Heartbeat::on_heartbeat_sent,
                );
            }
            SetOp::Failed(nth) => {
                let failed = |set: &mut HeartbeatSet<_, _>, key, _| set.on_heartbeat_failed(key);
                self.report(nth, SetTime::Same, failed, |heartbeat, _| {
                    heartbeat.on_heartbeat_failed();
                });
            }
            SetOp::Stop(nth) => {
                let stop = |set: &mut HeartbeatSet<_, _>, key, _| set.stop(key);
                self.report(nth, SetTime::Same, stop, |heartbeat, _| heartbeat.stop());
            }
            SetOp::Poll(nth, when) => {
                if let Some(nth) = self.nth(nth) {
                    self.poll(nth, self.at(when));
                }
            }
            SetOp::PopAndPoll(when) => {
                let now = self.at(when);
                if let Some(nth) = self.pop(now) {
                    self.poll(nth, now);
                }
            }
            SetOp::PopOnly(when) => {
                self.pop(self.at(when));
            }
            SetOp::Drain(when) => self.drain(self.at(when)),
            SetOp::Stale(nth) => self.stale(nth),
        }
        self.compare();
    }

    fn at(&self, when: SetTime) -> At {
        let deadline = || self.set.next_deadline().unwrap_or(self.latest);
        let at = match when {
            SetTime::Same => self.latest,
            SetTime::Later(by) => self.latest.saturating_add(by),
            SetTime::Earlier(by) => self.latest.saturating_sub(by),
            SetTime::OnTime => deadline(),
            SetTime::BeforeDeadline(by) => deadline().saturating_sub(by),
            SetTime::AfterDeadline(by) => deadline().saturating_add(by),
        };
        at.min(self.epoch.saturating_add(LONGEST))
    }

    fn nth(&self, nth: usize) -> Option<usize> {
        nth.checked_rem(self.members.len())
    }

    fn insert(&mut self, config: Config, at: At) {
        let id = self.inserted;
        self.inserted += 1;
        let key = self.set.insert(&config, at, id).expect("not full");
        let granularity = self.set.granularity(key).expect("a member");
        assert!(granularity <= config.interval() / 64 || config.is_disabled(), "T15");
        // No member is opened before the set.
        let last_report = at.max(self.epoch);
        let reference = Heartbeat::new(&config, last_report).with_granularity(granularity);
        let (gave_up, state) = (false, MemberState::New);
        self.members.push(Member {
            key,
            id,
            config,
            reference,
            granularity,
            last_report,
            gave_up,
            state,
        });
    }

    fn remove(&mut self, nth: usize) {
        let Some(nth) = self.nth(nth) else { return };
        let member = self.members.swap_remove(nth);
        assert_eq!(self.set.remove(member.key), Some(member.id));
        self.removed.push(member.key);
    }

    fn report(
        &mut self,
        nth: usize,
        when: SetTime,
        report: impl FnOnce(&mut HeartbeatSet<At, usize>, Key, At) -> bool,
        report_reference: impl FnOnce(&mut Heartbeat<At>, At),
    ) {
        let Some(nth) = self.nth(nth) else { return };
        let at = self.at(when);
        let member = &mut self.members[nth];
        assert!(report(&mut self.set, member.key, at), "a member");

        let counting = !member.reference.is_in_flight() && !member.gave_up;
        let at = if counting { at } else { at.max(self.latest) };
        member.last_report = member.last_report.max(at);
        report_reference(&mut member.reference, at.max(self.epoch));
    }

    fn poll(&mut self, nth: usize, now: At) {
        self.latest = self.latest.max(now); // T7
        let member = &mut self.members[nth];
        let answer = self.set.poll_deadline(member.key, now).expect("a member");

        let mut polled = member.reference.clone();
        let expected = polled.poll_deadline(self.latest);
        assert_eq!(
            answer,
            within(self.epoch, expected),
            "{:?} at {:?}",
            member.config,
            self.latest
        );
        // A poll that is answered with waiting has no effect.
        if !matches!(expected, Action::WaitUntil(_) | Action::WaitForever) {
            member.reference = polled;
        }
        member.gave_up |= expected == Action::GiveUp;
        member.state = MemberState::Polled(member.not_due_before(self.latest));
    }

    /// Pops a due member, and checks that it is not too early.
    fn pop(&mut self, now: At) -> Option<usize> {
        self.latest = self.latest.max(now);
        let Some(key) = self.set.pop_due(now) else {
            let next = self.set.next_deadline();
            assert!(
                next.is_none_or(|next| next > self.latest),
                "no member was due, so the next deadline is later"
            );
            return None;
        };
        let id = *self.set.get(key).expect("a member");
        let nth = self.members.iter().position(|member| member.id == id).expect("a member");
        let member = &mut self.members[nth];
        assert_eq!(member.key, key);
        match member.state {
            MemberState::New => {}
            MemberState::Popped => panic!("popped twice"),
            MemberState::Polled(None) => panic!("popped without a deadline"),
            MemberState::Polled(Some(earliest)) => {
                let latest = self.latest.saturating_add(member.granularity);
                assert!(latest >= earliest, "{latest:?} is before {earliest:?}");
            }
        }
        member.state = MemberState::Popped;
        Some(nth)
    }

    fn drain(&mut self, now: At) {
        for _ in 0..=self.members.len() {
            match self.pop(now) {
                Some(nth) => self.poll(nth, now),
                None => return,
            }
        }
        panic!("a member was popped twice");
    }

    fn stale(&mut self, nth: usize) {
        let Some(nth) = nth.checked_rem(self.removed.len()) else { return };
        let (key, now) = (self.removed[nth], self.latest);
        let set = &mut self.set;
        assert!(!set.on_send(key, now) && !set.on_bytes(key, now));
        assert!(!set.on_heartbeat_sent(key, now) && !set.on_heartbeat_failed(key));
        assert!(!set.stop(key) && set.is_stopped(key) && !set.is_in_flight(key));
        assert_eq!((set.get(key), set.granularity(key)), (None, None));
        assert_eq!((set.remove(key), set.get_mut(key)), (None, None));
        assert_eq!(set.poll_deadline(key, now), None);
    }

    /// Compares the set with the single heartbeats, and its next deadline with theirs.
    fn compare(&self) {
        assert_eq!(self.set.len(), self.members.len());
        let next = self.set.next_deadline();
        for member in &self.members {
            let Member { key, id, reference, .. } = member;
            assert_eq!(self.set.get(*key), Some(id));
            assert_eq!(self.set.is_stopped(*key), reference.is_stopped());
            assert_eq!(self.set.is_in_flight(*key), reference.is_in_flight());
            if let Some(last) = member.due_by(self.latest).filter(|&last| last < self.end()) {
                assert!(next.is_some_and(|next| next <= last), "{next:?}, not by {last:?}");
            }
        }
        assert!(next.is_none() || !self.members.is_empty(), "a deadline without members");
    }

    fn end(&self) -> At {
        self.epoch.saturating_add(Duration::from_nanos(1 << 61))
    }
}

impl Member {
    /// The latest instant at which the member has to be due, if it has a deadline.
    fn due_by(&self, latest: At) -> Option<At> {
        match self.state {
            MemberState::New => return Some(latest),
            MemberState::Popped => return None,
            MemberState::Polled(..) => {}
        }
        let now = latest.max(self.last_report);
        match self.reference.clone().poll_deadline(now) {
            // A member that is due a granularity earlier is not too early, and one that is due then is not too late.
            Action::WaitUntil(at) => Some(at),
            Action::SendHeartbeat { late } if !late.is_zero() && !self.has_jitter() => Some(now),
            Action::SendHeartbeat { late } => Some(now + self.granularity.saturating_sub(late)),
            Action::GiveUp | Action::Stalled => Some(now + self.granularity),
            Action::WaitForever | Action::Stopped => None,
        }
    }

    /// The earliest instant at which the member may be due, after a poll at `now`.
    fn not_due_before(&self, now: At) -> Option<At> {
        let waits = match self.reference.clone().poll_deadline(now) {
            Action::WaitUntil(at) => Some(at),
            Action::WaitForever => None,
            Action::Stopped => return None,
            action => panic!("the second poll does not wait: {action:?}"),
        };
        let counting = !self.reference.is_in_flight() && !self.gave_up;
        let earliest = if counting {
            waits?
        } else {
            // A report may give it a deadline, so it is due once per gap.
            let interval = self.config.interval();
            let gap = if self.has_jitter() { Duration::ZERO } else { interval };
            let give_up = Some(self.config.give_up_after()).filter(|after| !after.is_zero());
            let again = now.saturating_add(give_up.map_or(gap, |after| after.min(gap)));
            waits.map_or(again, |at| at.min(again))
        };
        let reach = 126 * (self.granularity + Duration::from_nanos(1)); // the reach of the wheel
        Some(earliest.min(now.saturating_add(reach)))
    }

    fn has_jitter(&self) -> bool {
        self.config.jitter() != Jitter::NONE
    }
}

/// The answer of a single heartbeat, whose clock does not end after 73 years.
fn within(epoch: At, answer: Action<At>) -> Action<At> {
    match answer {
        Action::WaitUntil(at) if at - epoch >= Duration::from_nanos(1 << 61) => Action::WaitForever,
        answer => answer,
    }
}
