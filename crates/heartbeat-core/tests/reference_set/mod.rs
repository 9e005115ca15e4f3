//! A fleet beside lone machines: whatever happens to a member happens to a [`Heartbeat`] with the same
//! granularity too, and both answer alike. What a lone machine cannot tell, namely when a member is
//! named, is held against the deadlines of all of them.

#![allow(unreachable_pub, reason = "it is a module of several test programs")]
#![allow(clippy::unchecked_time_subtraction, reason = "a test that underflows fails")]

use std::time::Duration;

use heartbeat_core::{Action, Config, Heartbeat, HeartbeatSet, Jitter, Key};

/// Time since an epoch: the tests' instant.
pub type At = Duration;

/// What happens next. A member is told by its place among those that are there, counted around.
#[derive(Debug, Clone, Copy)]
pub enum Op {
    Insert(Config, When),
    Remove(usize),
    Send(usize, When),
    Bytes(usize, When),
    Sent(usize, When),
    Failed(usize),
    Stop(usize),
    /// Asks a member that may stand anywhere.
    Ask(usize, When),
    /// Takes a member, and asks it.
    Take(When),
    /// Takes a member, and leaves the question for later.
    TakeOnly(When),
    /// Takes and asks whoever is due.
    Drain(When),
    /// Uses the key of a member that is gone.
    Stale(usize),
}

/// When it happens.
#[derive(Debug, Clone, Copy)]
pub enum When {
    Same,
    Later(Duration),
    Earlier(Duration),
    /// At the fleet's next deadline, or as long before or after it.
    OnTime,
    BeforeDeadline(Duration),
    AfterDeadline(Duration),
}

/// A fleet, and the lone machines.
pub struct SetWithReference {
    epoch: At,
    set: HeartbeatSet<At, usize>,
    /// The latest time of a question.
    latest: At,
    members: Vec<Member>,
    gone: Vec<Key>,
    inserted: usize,
}

struct Member {
    key: Key,
    id: usize,
    config: Config,
    reference: Heartbeat<At>,
    granularity: Duration,
    /// The latest time that was reported.
    told: At,
    gave_up: bool,
    place: Place,
}

/// Where a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Not asked yet, and to be named at once.
    New,
    /// Named, and not asked yet.
    Taken,
    /// Asked, and not to be named before then; never, if nothing is to come.
    Asked(Option<At>),
}

/// Beyond that nothing is compared: the fleet's time is about to end.
const LONGEST: Duration = Duration::from_secs(1_900_000_000); // 60 years

impl SetWithReference {
    pub fn new(epoch: At) -> Self {
        let set = HeartbeatSet::new(epoch);
        Self { epoch, set, latest: epoch, members: Vec::new(), gone: Vec::new(), inserted: 0 }
    }

    /// Lets it happen to both.
    ///
    /// # Panics
    ///
    /// When the fleet is wrong.
    pub fn play(&mut self, op: Op) {
        match op {
            Op::Insert(config, when) => self.insert(config, self.at(when)),
            Op::Remove(nth) => self.remove(nth),
            Op::Send(nth, when) => {
                self.report(nth, when, HeartbeatSet::on_send, Heartbeat::on_send);
                if let Some(nth) = self.nth(nth) {
                    self.members[nth].gave_up &= self.members[nth].reference.is_stopped();
                }
            }
            Op::Bytes(nth, when) => {
                self.report(nth, when, HeartbeatSet::on_bytes, Heartbeat::on_bytes)
            }
            Op::Sent(nth, when) => {
                self.report(
                    nth,
                    when,
                    HeartbeatSet::on_heartbeat_sent,
                    Heartbeat::on_heartbeat_sent,
                );
            }
            Op::Failed(nth) => {
                let failed = |set: &mut HeartbeatSet<_, _>, key, _| set.on_heartbeat_failed(key);
                self.report(nth, When::Same, failed, |heartbeat, _| {
                    heartbeat.on_heartbeat_failed()
                });
            }
            Op::Stop(nth) => {
                let stop = |set: &mut HeartbeatSet<_, _>, key, _| set.stop(key);
                self.report(nth, When::Same, stop, |heartbeat, _| heartbeat.stop());
            }
            Op::Ask(nth, when) => {
                if let Some(nth) = self.nth(nth) {
                    self.ask(nth, self.at(when));
                }
            }
            Op::Take(when) => {
                let now = self.at(when);
                if let Some(nth) = self.take(now) {
                    self.ask(nth, now);
                }
            }
            Op::TakeOnly(when) => {
                self.take(self.at(when));
            }
            Op::Drain(when) => self.drain(self.at(when)),
            Op::Stale(nth) => self.stale(nth),
        }
        self.compare();
    }

    fn at(&self, when: When) -> At {
        let deadline = || self.set.next_deadline().unwrap_or(self.latest);
        let at = match when {
            When::Same => self.latest,
            When::Later(by) => self.latest.saturating_add(by),
            When::Earlier(by) => self.latest.saturating_sub(by),
            When::OnTime => deadline(),
            When::BeforeDeadline(by) => deadline().saturating_sub(by),
            When::AfterDeadline(by) => deadline().saturating_add(by),
        };
        at.min(self.epoch.saturating_add(LONGEST))
    }

    fn nth(&self, nth: usize) -> Option<usize> {
        nth.checked_rem(self.members.len())
    }

    fn insert(&mut self, config: Config, at: At) {
        let id = self.inserted;
        self.inserted += 1;
        let key = self.set.insert(&config, at, id).expect("there is room");
        let granularity = self.set.granularity(key).expect("it is there");
        assert!(granularity <= config.interval() / 64 || config.is_disabled(), "T15");
        // Nothing begins before the fleet.
        let told = at.max(self.epoch);
        let reference = Heartbeat::new(&config, told).with_granularity(granularity);
        let (gave_up, place) = (false, Place::New);
        self.members.push(Member { key, id, config, reference, granularity, told, gave_up, place });
    }

    fn remove(&mut self, nth: usize) {
        let Some(nth) = self.nth(nth) else { return };
        let member = self.members.swap_remove(nth);
        assert_eq!(self.set.remove(member.key), Some(member.id));
        self.gone.push(member.key);
    }

    fn report(
        &mut self,
        nth: usize,
        when: When,
        report: impl FnOnce(&mut HeartbeatSet<At, usize>, Key, At) -> bool,
        report_alone: impl FnOnce(&mut Heartbeat<At>, At),
    ) {
        let Some(nth) = self.nth(nth) else { return };
        let at = self.at(when);
        let member = &mut self.members[nth];
        assert!(report(&mut self.set, member.key, at), "it is there");

        let counting = !member.reference.is_in_flight() && !member.gave_up;
        let at = if counting { at } else { at.max(self.latest) };
        member.told = member.told.max(at);
        report_alone(&mut member.reference, at.max(self.epoch));
    }

    fn ask(&mut self, nth: usize, now: At) {
        self.latest = self.latest.max(now); // T7
        let member = &mut self.members[nth];
        let answer = self.set.poll_deadline(member.key, now).expect("it is there");

        let mut asked = member.reference.clone();
        let expected = asked.poll_deadline(self.latest);
        assert_eq!(
            answer,
            within(self.epoch, expected),
            "{:?} at {:?}",
            member.config,
            self.latest
        );
        // A question that is answered with waiting leaves no trace.
        if !matches!(expected, Action::WaitUntil(_) | Action::WaitForever) {
            member.reference = asked;
        }
        member.gave_up |= expected == Action::GiveUp;
        member.place = Place::Asked(member.not_named_before(self.latest));
    }

    /// Takes somebody who is due, and looks whether that was not too early.
    fn take(&mut self, now: At) -> Option<usize> {
        self.latest = self.latest.max(now);
        let Some(key) = self.set.pop_due(now) else {
            let next = self.set.next_deadline();
            assert!(next.is_none_or(|next| next > self.latest), "nobody was due, so not at once");
            return None;
        };
        let id = *self.set.get(key).expect("it is there");
        let nth = self.members.iter().position(|member| member.id == id).expect("it is there");
        let member = &mut self.members[nth];
        assert_eq!(member.key, key);
        match member.place {
            Place::New => {}
            Place::Taken => panic!("it was named twice"),
            Place::Asked(None) => panic!("it had nothing to wait for"),
            Place::Asked(Some(soonest)) => {
                let latest = self.latest.saturating_add(member.granularity);
                assert!(latest >= soonest, "{latest:?} is before {soonest:?}");
            }
        }
        member.place = Place::Taken;
        Some(nth)
    }

    fn drain(&mut self, now: At) {
        for _ in 0..=self.members.len() {
            match self.take(now) {
                Some(nth) => self.ask(nth, now),
                None => return,
            }
        }
        panic!("somebody was named twice");
    }

    fn stale(&mut self, nth: usize) {
        let Some(nth) = nth.checked_rem(self.gone.len()) else { return };
        let (key, now) = (self.gone[nth], self.latest);
        let set = &mut self.set;
        assert!(!set.on_send(key, now) && !set.on_bytes(key, now));
        assert!(!set.on_heartbeat_sent(key, now) && !set.on_heartbeat_failed(key));
        assert!(!set.stop(key) && set.is_stopped(key) && !set.is_in_flight(key));
        assert_eq!((set.get(key), set.granularity(key)), (None, None));
        assert_eq!((set.remove(key), set.get_mut(key)), (None, None));
        assert_eq!(set.poll_deadline(key, now), None);
    }

    /// Looks whether the fleet is as the lone machines are, and asks early enough.
    fn compare(&self) {
        assert_eq!(self.set.len(), self.members.len());
        let next = self.set.next_deadline();
        for member in &self.members {
            let Member { key, id, reference, .. } = member;
            assert_eq!(self.set.get(*key), Some(id));
            assert_eq!(self.set.is_stopped(*key), reference.is_stopped());
            assert_eq!(self.set.is_in_flight(*key), reference.is_in_flight());
            if let Some(last) = member.named_by(self.latest).filter(|&last| last < self.end()) {
                assert!(next.is_some_and(|next| next <= last), "{next:?}, not by {last:?}");
            }
        }
        assert!(next.is_none() || !self.members.is_empty(), "nobody waits for anything");
    }

    fn end(&self) -> At {
        self.epoch.saturating_add(Duration::from_nanos(1 << 61))
    }
}

impl Member {
    /// By when it has to be named, if anything is to come.
    fn named_by(&self, latest: At) -> Option<At> {
        match self.place {
            Place::New => return Some(latest),
            Place::Taken => return None,
            Place::Asked(..) => {}
        }
        let now = latest.max(self.told);
        match self.reference.clone().poll_deadline(now) {
            // What is up a granularity before that is not too early, and what is up then not too late.
            Action::WaitUntil(at) => Some(at),
            Action::SendHeartbeat { late } if !late.is_zero() && !self.has_jitter() => Some(now),
            Action::SendHeartbeat { late } => Some(now + self.granularity.saturating_sub(late)),
            Action::GiveUp | Action::Stalled => Some(now + self.granularity),
            Action::WaitForever | Action::Stopped => None,
        }
    }

    /// When it may be named again, if it was asked just now.
    fn not_named_before(&self, now: At) -> Option<At> {
        let waits = match self.reference.clone().poll_deadline(now) {
            Action::WaitUntil(at) => Some(at),
            Action::WaitForever => None,
            Action::Stopped => return None,
            more => panic!("it was asked, and has more to say: {more:?}"),
        };
        let counting = !self.reference.is_in_flight() && !self.gave_up;
        let soonest = if counting {
            waits?
        } else {
            // A report may call it back to life, so it is named once a gap.
            let interval = self.config.interval();
            let gap = if self.has_jitter() { Duration::ZERO } else { interval };
            let give_up = Some(self.config.give_up_after()).filter(|after| !after.is_zero());
            let again = now.saturating_add(give_up.map_or(gap, |after| after.min(gap)));
            waits.map_or(again, |at| at.min(again))
        };
        let reach = 126 * (self.granularity + Duration::from_nanos(1)); // of the wheel
        Some(soonest.min(now.saturating_add(reach)))
    }

    fn has_jitter(&self) -> bool {
        self.config.jitter() != Jitter::NONE
    }
}

/// The answer of a lone machine, whose time does not end after 73 years.
fn within(epoch: At, answer: Action<At>) -> Action<At> {
    match answer {
        Action::WaitUntil(at) if at - epoch >= Duration::from_nanos(1 << 61) => Action::WaitForever,
        answer => answer,
    }
}
