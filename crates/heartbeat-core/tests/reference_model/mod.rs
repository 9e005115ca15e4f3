//! The rules once more, as naively as they can be told: a list of what happened, from which each
//! answer is derived anew. It keeps no state of its own that could be wrong in the same way as the
//! machine's.

#![allow(unreachable_pub, reason = "it is a module of several test programs")]
#![allow(clippy::unchecked_time_subtraction, reason = "a test that underflows fails")]

use std::time::Duration;

use heartbeat_core::{Action, Config, Heartbeat, Watchdog, WatchdogAction};

/// Time since an epoch: the tests' instant.
pub type At = Duration;

/// One call of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Send(At),
    Bytes(At),
    Sent(At),
    Failed,
    Stop,
    Poll(At),
}

/// One call, the greatest `now` known after it, and what the model said if it was asked.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub op: Op,
    pub seen: At,
    pub answer: Option<Action<At>>,
}

/// The naive model of `Heartbeat`.
#[derive(Debug, Clone)]
pub struct Model {
    config: Config,
    granularity: Duration,
    birth: At,
    /// The gap after each number of heartbeats asked for (T11); `None` never ends.
    gaps: Vec<Option<Duration>>,
    pub log: Vec<Entry>,
}

impl Model {
    /// A model for at most `polls` questions.
    pub fn new(config: Config, granularity: Duration, birth: At, polls: usize) -> Self {
        Self { config, granularity, birth, gaps: gaps(&config, polls), log: Vec::new() }
    }

    /// Takes the call down, and answers if it is a question.
    pub fn record(&mut self, op: Op) -> Option<Action<At>> {
        let before = self.log.last().map_or(self.birth, |entry| entry.seen);
        let seen = match op {
            Op::Send(now) | Op::Bytes(now) | Op::Sent(now) | Op::Poll(now) => before.max(now), // T7
            Op::Failed | Op::Stop => before,
        };
        let answer = matches!(op, Op::Poll(_)).then(|| self.answer(seen));
        self.log.push(Entry { op, seen, answer });
        answer
    }

    /// When bytes last left, whatever they were, and the place of that in the list.
    fn last_bytes(&self) -> Option<(usize, At)> {
        let end = self.end().unwrap_or(self.log.len()); // T9: no report counts after it
        let left = |entry: &Entry| matches!(entry.op, Op::Send(_) | Op::Bytes(_) | Op::Sent(_));
        let place = self.log[..end].iter().rposition(left)?;
        Some((place, self.log[place].seen))
    }

    /// Where in the list it ended for good (T9, T10, T20).
    fn end(&self) -> Option<usize> {
        self.log.iter().position(|entry| {
            matches!(entry.op, Op::Failed | Op::Stop) || entry.answer == Some(Action::Stalled)
        })
    }

    fn last(&self, is_it: impl Fn(&Entry) -> bool) -> Option<(usize, At)> {
        let place = self.log.iter().rposition(is_it)?;
        Some((place, self.log[place].seen))
    }

    /// How long nothing has left at `now` (T19).
    pub fn silence(&self, now: At) -> Duration {
        let seen = self.log.last().map_or(self.birth, |entry| entry.seen);
        now.max(seen) - self.last_bytes().map_or(self.birth, |(_, at)| at)
    }

    fn answer(&self, now: At) -> Action<At> {
        if self.end().is_some() {
            return Action::Stopped;
        }
        if self.config.interval().is_zero() {
            return Action::WaitForever; // T1
        }

        let asked = |entry: &Entry| matches!(entry.answer, Some(Action::SendHeartbeat { .. }));
        let bytes = self.last_bytes();
        let in_flight = self.last(asked).filter(|ask| bytes.is_none_or(|bytes| ask.0 > bytes.0)); // T5, T6
        let real = self.last(|entry| matches!(entry.op, Op::Send(_)));
        let gave_up = self
            .last(|entry| entry.answer == Some(Action::GiveUp))
            .is_some_and(|said| real.is_none_or(|real| said.0 > real.0));

        let stalls = in_flight.and_then(|(_, at)| limit(at, self.config.stall_after()));
        if stalls.is_some_and(|at| now >= at) {
            return Action::Stalled; // T20
        }
        let gives_up = limit(real.map_or(self.birth, |(_, at)| at), self.config.give_up_after());
        let gives_up = gives_up.filter(|_| !gave_up);
        if gives_up.is_some_and(|at| now >= at) {
            return Action::GiveUp; // T12
        }

        let asks = self.log.iter().filter(|entry| asked(entry)).count();
        let gap = self.gaps[asks];
        let deadline = if in_flight.is_some() || gave_up {
            None
        } else if self.config.immediate_first() && asks == 0 && bytes.is_none() {
            Some(self.birth) // T2
        } else {
            gap.and_then(|gap| bytes.map_or(self.birth, |(_, at)| at).checked_add(gap)) // T2, T3, T8
        };
        let early = gap.map_or(self.granularity, |gap| self.granularity.min(gap / 2));
        if let Some(at) = deadline
            && at.saturating_sub(now) <= early
        {
            return Action::SendHeartbeat { late: now.saturating_sub(at) }; // T4
        }

        // Told so much later that an alarm which goes off a granularity early is not too early.
        let early = if is_finite(self.granularity) { early } else { self.granularity };
        let deadline = deadline.map(|at| later(at, self.granularity - early));
        let limit = [stalls, gives_up].into_iter().flatten().min();
        let limit = limit.map(|at| later(at, self.granularity));
        [deadline, limit].into_iter().flatten().min().map_or(Action::WaitForever, Action::WaitUntil)
    }
}

/// What a limit means that starts at `start`: zero is none, and so is one too long to tell (T8).
fn limit(start: At, limit: Duration) -> Option<At> {
    (!limit.is_zero() && is_finite(limit)).then(|| start.checked_add(limit))?
}

/// What is answered for `at` where an alarm may go off early by as much as `by`.
fn later(at: At, by: Duration) -> At {
    if is_finite(by) { at.checked_add(by).unwrap_or(at) } else { at }
}

/// Whether a duration is below the 584 years that the machine counts as never.
fn is_finite(duration: Duration) -> bool {
    duration < Duration::from_nanos(u64::MAX)
}

/// Reads the sequence of gaps off a machine that does nothing but beat in time: T11 makes it the
/// same for every machine with this interval, jitter and seed, whatever else happens to it.
fn gaps(config: &Config, count: usize) -> Vec<Option<Duration>> {
    let plain = Config::every(config.interval()).with_jitter(config.jitter());
    let plain = config.seed().map_or(plain, |seed| plain.with_seed(seed));
    let mut now = At::ZERO;
    let mut heartbeat = Heartbeat::new(&plain, now);
    (0..=count)
        .map(|_| match heartbeat.poll_deadline(now) {
            Action::WaitUntil(at) => {
                let gap = at - now;
                now = at;
                assert_eq!(
                    heartbeat.poll_deadline(now),
                    Action::SendHeartbeat { late: Duration::ZERO }
                );
                heartbeat.on_heartbeat_sent(now);
                Some(gap)
            }
            Action::WaitForever => None,
            other => panic!("a machine that only beats said {other:?}"),
        })
        .collect()
}

/// Plays one call to the machine.
pub fn play(heartbeat: &mut Heartbeat<At>, op: Op) -> Option<Action<At>> {
    match op {
        Op::Send(now) => heartbeat.on_send(now),
        Op::Bytes(now) => heartbeat.on_bytes(now),
        Op::Sent(now) => heartbeat.on_heartbeat_sent(now),
        Op::Failed => heartbeat.on_heartbeat_failed(),
        Op::Stop => heartbeat.stop(),
        Op::Poll(now) => return Some(heartbeat.poll_deadline(now)),
    }
    None
}

/// One call of the watchdog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchOp {
    Receive(At),
    Stop,
    Poll(At),
}

/// The naive model of `Watchdog` (T14): the list of calls, the latest time after each, and the
/// answers given.
#[derive(Debug, Clone)]
pub struct WatchModel {
    timeout: Duration,
    granularity: Duration,
    birth: At,
    log: Vec<(WatchOp, At, Option<WatchdogAction<At>>)>,
}

impl WatchModel {
    pub fn new(timeout: Duration, granularity: Duration, birth: At) -> Self {
        Self { timeout, granularity, birth, log: Vec::new() }
    }

    /// Takes the call down, and answers if it is a question.
    pub fn record(&mut self, op: WatchOp) -> Option<WatchdogAction<At>> {
        let before = self.log.last().map_or(self.birth, |entry| entry.1);
        let seen = match op {
            WatchOp::Receive(now) | WatchOp::Poll(now) => before.max(now),
            WatchOp::Stop => before,
        };
        let answer = matches!(op, WatchOp::Poll(_)).then(|| self.answer(seen));
        self.log.push((op, seen, answer));
        answer
    }

    fn answer(&self, now: At) -> WatchdogAction<At> {
        if self.log.iter().any(|entry| entry.0 == WatchOp::Stop) {
            return WatchdogAction::Stopped;
        }
        let heard = self.log.iter().rposition(|entry| matches!(entry.0, WatchOp::Receive(_)));
        let since_then = &self.log[heard.map_or(0, |place| place + 1)..];
        if since_then.iter().any(|entry| entry.2 == Some(WatchdogAction::Expired)) {
            return WatchdogAction::WaitForever;
        }
        match limit(heard.map_or(self.birth, |place| self.log[place].1), self.timeout) {
            Some(at) if now >= at => WatchdogAction::Expired,
            Some(at) => WatchdogAction::WaitUntil(later(at, self.granularity)),
            None => WatchdogAction::WaitForever,
        }
    }
}

/// Plays one call to the watchdog.
pub fn play_watch(watchdog: &mut Watchdog<At>, op: WatchOp) -> Option<WatchdogAction<At>> {
    match op {
        WatchOp::Receive(now) => watchdog.on_receive(now),
        WatchOp::Stop => watchdog.stop(),
        WatchOp::Poll(now) => return Some(watchdog.poll_deadline(now)),
    }
    None
}
