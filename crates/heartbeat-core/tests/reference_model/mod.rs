//! A naive model of the rules: a list of calls, from which each answer is derived anew. It keeps no
//! other state, so it cannot be wrong in the same way as the implementation.

#![allow(unreachable_pub, reason = "a module of several test programs")]
#![allow(clippy::unchecked_time_subtraction, reason = "a test that underflows fails")]

use std::time::Duration;

use heartbeat_core::{Action, Config, Heartbeat, Watchdog, WatchdogAction};

/// The instant of the tests: the time since an epoch.
pub type At = Duration;

/// One call on a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Send(At),
    Bytes(At),
    Sent(At),
    Failed,
    Stop,
    Poll(At),
}

/// One call, the latest `now` after it, and the answer of the model if the call is a poll.
#[derive(Debug, Clone, Copy)]
pub struct ModelEntry {
    pub op: Op,
    pub seen: At,
    pub answer: Option<Action<At>>,
}

/// The reference model of `Heartbeat`.
#[derive(Debug, Clone)]
pub struct Model {
    config: Config,
    granularity: Duration,
    opened: At,
    /// The gap by the number of heartbeats requested before (T11); `None` is endless.
    gaps: Vec<Option<Duration>>,
    pub log: Vec<ModelEntry>,
}

impl Model {
    /// A model for at most `polls` polls.
    pub fn new(config: Config, granularity: Duration, opened: At, polls: usize) -> Self {
        Self { config, granularity, opened, gaps: gaps(&config, polls), log: Vec::new() }
    }

    /// Records the call, and answers if it is a poll.
    pub fn record(&mut self, op: Op) -> Option<Action<At>> {
        let before = self.log.last().map_or(self.opened, |entry| entry.seen);
        let seen = match op {
            Op::Send(now) | Op::Bytes(now) | Op::Sent(now) | Op::Poll(now) => before.max(now), // T7
            Op::Failed | Op::Stop => before,
        };
        let answer = matches!(op, Op::Poll(_)).then(|| self.answer(seen));
        self.log.push(ModelEntry { op, seen, answer });
        answer
    }

    /// The last send of any bytes: its position in the list, and its time.
    fn last_bytes(&self) -> Option<(usize, At)> {
        let end = self.end().unwrap_or(self.log.len()); // T9: later reports are ignored
        let left =
            |entry: &ModelEntry| matches!(entry.op, Op::Send(_) | Op::Bytes(_) | Op::Sent(_));
        let index = self.log[..end].iter().rposition(left)?;
        Some((index, self.log[index].seen))
    }

    /// The position of the call that ended the heartbeats (T9, T10, T20).
    fn end(&self) -> Option<usize> {
        self.log.iter().position(|entry| {
            matches!(entry.op, Op::Failed | Op::Stop) || entry.answer == Some(Action::Stalled)
        })
    }

    fn last(&self, matches: impl Fn(&ModelEntry) -> bool) -> Option<(usize, At)> {
        let index = self.log.iter().rposition(matches)?;
        Some((index, self.log[index].seen))
    }

    /// The silence at `now` (T19).
    pub fn idle_time(&self, now: At) -> Duration {
        let seen = self.log.last().map_or(self.opened, |entry| entry.seen);
        now.max(seen) - self.last_bytes().map_or(self.opened, |(_, at)| at)
    }

    fn answer(&self, now: At) -> Action<At> {
        if self.end().is_some() {
            return Action::Stopped;
        }
        if self.config.interval().is_zero() {
            return Action::WaitForever; // T1
        }

        let requested =
            |entry: &ModelEntry| matches!(entry.answer, Some(Action::SendHeartbeat { .. }));
        let bytes = self.last_bytes();
        let in_flight =
            self.last(requested).filter(|request| bytes.is_none_or(|bytes| request.0 > bytes.0)); // T5, T6
        let event = self.last(|entry| matches!(entry.op, Op::Send(_)));
        let gave_up = self
            .last(|entry| entry.answer == Some(Action::GiveUp))
            .is_some_and(|given| event.is_none_or(|event| given.0 > event.0));

        let stalls = in_flight.and_then(|(_, at)| limit(at, self.config.stall_after()));
        if stalls.is_some_and(|at| now >= at) {
            return Action::Stalled; // T20
        }
        let gives_up = limit(event.map_or(self.opened, |(_, at)| at), self.config.give_up_after());
        let gives_up = gives_up.filter(|_| !gave_up);
        if gives_up.is_some_and(|at| now >= at) {
            return Action::GiveUp; // T12
        }

        let requests = self.log.iter().filter(|entry| requested(entry)).count();
        let gap = self.gaps[requests];
        let deadline = if in_flight.is_some() || gave_up {
            None
        } else if self.config.immediate_first() && requests == 0 && bytes.is_none() {
            Some(self.opened) // T2
        } else {
            gap.and_then(|gap| bytes.map_or(self.opened, |(_, at)| at).checked_add(gap)) // T2, T3, T8
        };
        let early = gap.map_or(self.granularity, |gap| self.granularity.min(gap / 2));
        if let Some(at) = deadline
            && at.saturating_sub(now) <= early
        {
            return Action::SendHeartbeat { late: now.saturating_sub(at) }; // T4
        }

        // Delayed so that a timer that fires a granularity early is not too early.
        let early = if is_finite(self.granularity) { early } else { self.granularity };
        let deadline = deadline.map(|at| later(at, self.granularity - early));
        let limit = [stalls, gives_up].into_iter().flatten().min();
        let limit = limit.map(|at| later(at, self.granularity));
        [deadline, limit].into_iter().flatten().min().map_or(Action::WaitForever, Action::WaitUntil)
    }
}

/// When a limit that starts at `start` is reached: never if it is zero or too long (T8).
fn limit(start: At, limit: Duration) -> Option<At> {
    (!limit.is_zero() && is_finite(limit)).then(|| start.checked_add(limit))?
}

/// The deadline returned for `at` if the timer may fire early by `by`.
fn later(at: At, by: Duration) -> At {
    if is_finite(by) { at.checked_add(by).unwrap_or(at) } else { at }
}

/// Whether a duration is below 584 years, which mean "never" (T8).
fn is_finite(duration: Duration) -> bool {
    duration < Duration::from_nanos(u64::MAX)
}

/// Reads the sequence of gaps from a heartbeat without events: by T11 it is equal for every heartbeat
/// with this interval, jitter and seed, whatever else happens.
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
            other => panic!("unexpected answer {other:?}"),
        })
        .collect()
}

/// Plays one call to a heartbeat.
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

/// One call on a watchdog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchOp {
    Receive(At),
    Stop,
    Poll(At),
}

/// The reference model of `Watchdog` (T14): the list of calls, the latest time after each, and the answers.
#[derive(Debug, Clone)]
pub struct WatchModel {
    timeout: Duration,
    granularity: Duration,
    opened: At,
    log: Vec<(WatchOp, At, Option<WatchdogAction<At>>)>,
}

impl WatchModel {
    pub fn new(timeout: Duration, granularity: Duration, opened: At) -> Self {
        Self { timeout, granularity, opened, log: Vec::new() }
    }

    /// Records the call, and answers if it is a poll.
    pub fn record(&mut self, op: WatchOp) -> Option<WatchdogAction<At>> {
        let before = self.log.last().map_or(self.opened, |entry| entry.1);
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
        let received = self.log.iter().rposition(|entry| matches!(entry.0, WatchOp::Receive(_)));
        let since_then = &self.log[received.map_or(0, |index| index + 1)..];
        if since_then.iter().any(|entry| entry.2 == Some(WatchdogAction::Expired)) {
            return WatchdogAction::WaitForever;
        }
        match limit(received.map_or(self.opened, |index| self.log[index].1), self.timeout) {
            Some(at) if now >= at => WatchdogAction::Expired,
            Some(at) => WatchdogAction::WaitUntil(later(at, self.granularity)),
            None => WatchdogAction::WaitForever,
        }
    }
}

/// Plays one call to a watchdog.
pub fn play_watch(watchdog: &mut Watchdog<At>, op: WatchOp) -> Option<WatchdogAction<At>> {
    match op {
        WatchOp::Receive(now) => watchdog.on_receive(now),
        WatchOp::Stop => watchdog.stop(),
        WatchOp::Poll(now) => return Some(watchdog.poll_deadline(now)),
    }
    None
}
