use std::time::Duration;

use arbitrary::Arbitrary;
use heartbeat_core::{Watchdog, WatchdogAction};

use crate::reference_model::{At, WatchModel, WatchOp, play_watch};
use crate::time::{Length, When};

/// A `Watchdog`, and the calls on it.
#[derive(Debug, Arbitrary)]
pub struct WatchdogCase {
    timeout: Timeout,
    granularity: Length,
    opened: When,
    #[arbitrary(with = crate::steps)]
    steps: Vec<WatchdogStep>,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Timeout {
    Plain(Length),
    Missed(u8, Length),
    AnyMissed(u32, Length),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum WatchdogStep {
    Poll(When),
    Receive(When),
    Stop,
}

impl Timeout {
    fn watchdog(self, opened: At) -> Watchdog<At> {
        match self {
            Self::Plain(timeout) => Watchdog::new(timeout.duration(), opened),
            Self::Missed(count, interval) => {
                Watchdog::after_missed(count.into(), interval.duration(), opened)
            }
            Self::AnyMissed(count, interval) => {
                Watchdog::after_missed(count, interval.duration(), opened)
            }
        }
    }

    fn duration(self) -> Duration {
        let (count, interval) = match self {
            Self::Plain(timeout) => (1, timeout),
            Self::Missed(count, interval) => (count.into(), interval),
            Self::AnyMissed(count, interval) => (count, interval),
        };
        interval.duration().checked_mul(count).unwrap_or(Duration::MAX) // T8
    }
}

impl WatchdogStep {
    fn resolve(self, at: impl Fn(When) -> At) -> WatchOp {
        match self {
            Self::Poll(when) => WatchOp::Poll(at(when)),
            Self::Receive(when) => WatchOp::Receive(at(when)),
            Self::Stop => WatchOp::Stop,
        }
    }
}

impl WatchdogCase {
    /// Plays the history to the watchdog and to the model.
    ///
    /// # Panics
    ///
    /// If they differ, which is the finding.
    pub fn check(&self) {
        let opened = self.opened.resolve(At::ZERO, At::ZERO);
        let timeout = self.timeout.duration();
        let granularity = self.granularity.duration();
        let mut watchdog = self.timeout.watchdog(opened).with_granularity(granularity);
        let mut model = WatchModel::new(timeout, granularity, opened);
        let (mut seen, mut deadline, mut stopped) = (opened, opened, false);

        for step in &self.steps {
            let op = step.resolve(|when| when.resolve(seen, deadline));
            let answer = play_watch(&mut watchdog, op);
            assert_eq!(answer, model.record(op), "left: watchdog, right: model\n{model:?}");

            match op {
                WatchOp::Receive(now) | WatchOp::Poll(now) => seen = seen.max(now), // T7
                WatchOp::Stop => stopped = true,
            }
            assert_eq!(watchdog.is_stopped(), stopped, "is_stopped\n{model:?}");
            if let Some(WatchdogAction::WaitUntil(at)) = answer {
                deadline = at;
            }
        }
    }
}
