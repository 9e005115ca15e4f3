use std::time::Duration;

use arbitrary::Arbitrary;
use heartbeat_core::{Action, Config, Heartbeat, Jitter};

use crate::reference_model::{At, Model, ModelEntry, Op, play};
use crate::time::{Length, When};

/// This long or longer means never: durations are stored as nanoseconds in 8 bytes (T8).
const NEVER: Duration = Duration::from_nanos(u64::MAX);

/// A `Heartbeat`, and the calls on it.
#[derive(Debug, Arbitrary)]
pub struct HeartbeatCase {
    settings: HeartbeatSettings,
    granularity: Length,
    opened: When,
    #[arbitrary(with = crate::steps)]
    steps: Vec<HeartbeatStep>,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
struct HeartbeatSettings {
    interval: Length,
    /// In 65536ths.
    jitter: u16,
    give_up_after: Length,
    stall_after: Length,
    immediate_first: bool,
    seed: Option<u32>,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum HeartbeatStep {
    Poll(When),
    Send(When),
    Bytes(When),
    Sent(When),
    Failed,
    Stop,
}

impl HeartbeatSettings {
    fn config(self) -> Config {
        let jitter = f32::from(self.jitter) / 65536.0;
        let config = Config::every(self.interval.duration())
            .with_jitter(Jitter::try_from(jitter).expect("below one"))
            .with_give_up_after(self.give_up_after.duration())
            .with_stall_after(self.stall_after.duration())
            .with_immediate_first(self.immediate_first);
        self.seed.map_or(config, |seed| config.with_seed(seed))
    }

    /// Whether a gap is within the range of T11. The model cannot check it: it takes its gaps from a
    /// heartbeat.
    fn allows(self, gap: Duration) -> bool {
        let interval = self.interval.duration();
        let parts = 65536 - u128::from(self.jitter);
        gap <= interval && gap.as_nanos() * 65536 >= interval.as_nanos() * parts
    }
}

impl HeartbeatStep {
    fn resolve(self, at: impl Fn(When) -> At) -> Op {
        match self {
            Self::Poll(when) => Op::Poll(at(when)),
            Self::Send(when) => Op::Send(at(when)),
            Self::Bytes(when) => Op::Bytes(at(when)),
            Self::Sent(when) => Op::Sent(at(when)),
            Self::Failed => Op::Failed,
            Self::Stop => Op::Stop,
        }
    }
}

impl HeartbeatCase {
    /// Plays the history to the heartbeat and to the model.
    ///
    /// # Panics
    ///
    /// If they differ, which is the finding.
    pub fn check(&self) {
        let (config, granularity) = (self.settings.config(), self.granularity.duration());
        let opened = self.opened.resolve(At::ZERO, At::ZERO);
        let mut heartbeat = Heartbeat::new(&config, opened).with_granularity(granularity);
        let mut model = Model::new(config, granularity, opened, self.steps.len());
        let (mut deadline, mut in_flight, mut stopped) = (opened, false, false);

        for step in &self.steps {
            let seen = model.log.last().map_or(opened, |entry| entry.seen);
            let op = step.resolve(|when| when.resolve(seen, deadline));
            let answer = play(&mut heartbeat, op);
            let expected = model.record(op);
            let so_far = || describe(&config, granularity, opened, &model.log);
            assert_eq!(answer, expected, "left: heartbeat, right: model{}", so_far());

            match answer {
                Some(Action::WaitUntil(at)) => deadline = at,
                Some(Action::SendHeartbeat { .. }) => in_flight = true,
                Some(Action::Stalled) => stopped = true,
                _ => {}
            }
            match op {
                Op::Send(_) | Op::Bytes(_) | Op::Sent(_) => in_flight = false, // T6
                Op::Failed | Op::Stop => stopped = true,                       // T9, T10
                Op::Poll(_) => {}
            }
            assert_eq!(heartbeat.is_stopped(), stopped, "is_stopped{}", so_far());
            assert_eq!(heartbeat.is_in_flight(), in_flight && !stopped, "is_in_flight{}", so_far());

            let seen = model.log[model.log.len() - 1].seen;
            let silence = model.idle_time(seen);
            if silence < NEVER {
                assert_eq!(heartbeat.idle_time(seen), silence, "T19{}", so_far());
                assert_eq!(heartbeat.idle_time(At::ZERO), silence, "T7{}", so_far());
            }
            if let Some(Action::SendHeartbeat { late }) = answer
                && !late.is_zero()
            {
                let gap = silence.checked_sub(late).expect("late by less than the silence");
                let immediate_first = config.immediate_first() && gap.is_zero();
                assert!(immediate_first || self.settings.allows(gap), "T11: {gap:?}{}", so_far());
            }
            if let Some(Action::WaitUntil(at)) = answer
                && granularity < NEVER
                && at <= At::MAX.saturating_sub(granularity)
            {
                let wake_up = at.saturating_sub(granularity);
                assert!(
                    is_late_enough(&heartbeat, wake_up),
                    "nothing to do at {wake_up:?}{}",
                    so_far()
                );
            }
        }
    }
}

/// Whether a timer that fires at `wake_up` finds something to do. If a timer that fires a granularity
/// early did not, it would be set again and again.
fn is_late_enough(heartbeat: &Heartbeat<At>, wake_up: At) -> bool {
    !matches!(heartbeat.clone().poll_deadline(wake_up), Action::WaitUntil(_) | Action::WaitForever)
}

/// Describes a finding: the configuration, and each call with the answer of the model.
fn describe(config: &Config, granularity: Duration, opened: At, log: &[ModelEntry]) -> String {
    let calls = log.iter().map(|entry| match entry.answer {
        Some(answer) => format!("\n  {:?} -> {answer:?}", entry.op),
        None => format!("\n  {:?}", entry.op),
    });
    format!(
        "\n{config:?}\ngranularity {granularity:?}, opened {opened:?}{}",
        calls.collect::<String>()
    )
}
