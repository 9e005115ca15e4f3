use std::time::Duration;

use arbitrary::Arbitrary;
use heartbeat_core::{Config, Jitter};

use crate::reference_set::{SetOp, SetTime, SetWithReference};

/// A `HeartbeatSet`, and the calls on it.
#[derive(Debug, Arbitrary)]
pub struct HeartbeatSetCase {
    epoch: ShortLength,
    settings: [MemberSettings; 4],
    #[arbitrary(with = crate::steps)]
    steps: Vec<SetStep>,
}

/// A duration. Limits are below 2^31 nanoseconds, where giving up is exact. The clock of a set ends
/// after 73 years, so durations are shorter than for a single heartbeat.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum ShortLength {
    Zero,
    Nanos(u8),
    /// Eighths of a second.
    Eighths(u8),
    AnyNanos(u32),
    Never,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
struct MemberSettings {
    interval: ShortLength,
    /// In 65536ths.
    jitter: u16,
    give_up_after: ShortLength,
    stall_after: ShortLength,
    immediate_first: bool,
    seed: u32,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum SetStep {
    Insert(u8, Moment),
    Remove(u8),
    Send(u8, Moment),
    Bytes(u8, Moment),
    Sent(u8, Moment),
    Failed(u8),
    Stop(u8),
    Poll(u8, Moment),
    PopAndPoll(Moment),
    PopOnly(Moment),
    Drain(Moment),
    Stale(u8),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Moment {
    Same,
    Later(ShortLength),
    Earlier(ShortLength),
    OnTime,
    BeforeDeadline(ShortLength),
    AfterDeadline(ShortLength),
    /// This many times 4,000 seconds later.
    Leap(u8),
}

impl ShortLength {
    fn duration(self) -> Duration {
        match self {
            Self::Zero => Duration::ZERO,
            Self::Nanos(count) => Duration::from_nanos(count.into()),
            Self::Eighths(count) => Duration::from_millis(125) * u32::from(count % 16),
            Self::AnyNanos(count) => Duration::from_nanos(u64::from(count >> 1)),
            Self::Never => Duration::MAX,
        }
    }
}

impl MemberSettings {
    fn config(self) -> Config {
        let jitter = f32::from(self.jitter) / 65536.0;
        Config::every(self.interval.duration())
            .with_jitter(Jitter::try_from(jitter).expect("below one"))
            .with_give_up_after(self.give_up_after.duration())
            .with_stall_after(self.stall_after.duration())
            .with_immediate_first(self.immediate_first)
            .with_seed(self.seed)
    }
}

impl Moment {
    fn when(self) -> SetTime {
        match self {
            Self::Same => SetTime::Same,
            Self::Later(by) => SetTime::Later(by.duration()),
            Self::Earlier(by) => SetTime::Earlier(by.duration()),
            Self::OnTime => SetTime::OnTime,
            Self::BeforeDeadline(by) => SetTime::BeforeDeadline(by.duration()),
            Self::AfterDeadline(by) => SetTime::AfterDeadline(by.duration()),
            Self::Leap(count) => SetTime::Later(Duration::from_secs(4000) * u32::from(count)),
        }
    }
}

impl HeartbeatSetCase {
    /// Plays the history to the set and to single heartbeats.
    ///
    /// # Panics
    ///
    /// If they differ, which is the finding.
    pub fn check(&self) {
        let epoch = Some(self.epoch.duration()).filter(|&epoch| epoch < Duration::MAX);
        let mut both = SetWithReference::new(epoch.unwrap_or_default());
        for &step in &self.steps {
            both.play(self.op(step));
        }
    }

    fn op(&self, step: SetStep) -> SetOp {
        match step {
            SetStep::Insert(nth, moment) => {
                let settings = self.settings[usize::from(nth) % self.settings.len()];
                SetOp::Insert(settings.config(), moment.when())
            }
            SetStep::Remove(nth) => SetOp::Remove(nth.into()),
            SetStep::Send(nth, moment) => SetOp::Send(nth.into(), moment.when()),
            SetStep::Bytes(nth, moment) => SetOp::Bytes(nth.into(), moment.when()),
            SetStep::Sent(nth, moment) => SetOp::Sent(nth.into(), moment.when()),
            SetStep::Failed(nth) => SetOp::Failed(nth.into()),
            SetStep::Stop(nth) => SetOp::Stop(nth.into()),
            SetStep::Poll(nth, moment) => SetOp::Poll(nth.into(), moment.when()),
            SetStep::PopAndPoll(moment) => SetOp::PopAndPoll(moment.when()),
            SetStep::PopOnly(moment) => SetOp::PopOnly(moment.when()),
            SetStep::Drain(moment) => SetOp::Drain(moment.when()),
            SetStep::Stale(nth) => SetOp::Stale(nth.into()),
        }
    }
}
