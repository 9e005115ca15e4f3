//! Timers that are wrong on purpose.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use heartbeat_async::Timer;
use heartbeat_async::virtual_time::{VirtualSleep, VirtualTime};

use crate::{Runtime, TimeScale};

/// What is wrong with a [`FaultyTimer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimerFault {
    None,
    /// A sleep is ready a millisecond before its deadline.
    Early,
    /// A sleep is ready a millisecond after its deadline.
    Late,
    /// A sleep is ready a quarter of a tick early, and the granularity is said to be zero.
    UnderstatedGranularity,
    /// A sleep keeps the waker of its first poll.
    KeepsFirstWaker,
    /// A sleep forgets the waker of its first poll.
    LosesFirstWaker,
    /// A sleep wakes no task.
    WakesNoTask,
    /// `reset` keeps the old deadline.
    IgnoresReset,
    /// `reset` does not move a sleep to an earlier deadline.
    IgnoresEarlierReset,
    /// `reset` of a sleep that was ready leaves it ready.
    StaysReady,
    /// A sleep that is polled for the first time after its deadline is never ready.
    MissesPastDeadline,
    /// A sleep wakes its task at the deadline, and is not ready then.
    NeverReady,
    /// The clock runs at half the speed of the sleeps.
    SlowClock,
    /// The clock stands still.
    StoppedClock,
}

/// A runtime in virtual time, with a timer that is wrong.
pub(super) struct FaultyRuntime {
    pub(super) time: VirtualTime,
    pub(super) fault: TimerFault,
}

impl Runtime for FaultyRuntime {
    type Timer = FaultyTimer;

    fn timer(&self) -> FaultyTimer {
        FaultyTimer { time: self.time.clone(), fault: self.fault }
    }

    fn block_on<F: Future>(&self, scenario: F) -> F::Output {
        self.time.block_on(scenario)
    }

    fn time_scale(&self) -> TimeScale {
        TimeScale::exact(Duration::ZERO)
    }
}

#[derive(Debug, Clone)]
pub(super) struct FaultyTimer {
    time: VirtualTime,
    fault: TimerFault,
}

impl FaultyTimer {
    fn deadline(&self, at: Duration) -> Duration {
        match self.fault {
            TimerFault::Early => at.saturating_sub(Duration::from_millis(1)),
            TimerFault::Late => at.saturating_add(Duration::from_millis(1)),
            TimerFault::UnderstatedGranularity => at.saturating_sub(Duration::from_millis(250)),
            _ => at,
        }
    }
}

impl Timer for FaultyTimer {
    type Instant = Duration;
    type Sleep = FaultySleep;

    fn now(&self) -> Duration {
        match self.fault {
            TimerFault::SlowClock => self.time.now() / 2,
            TimerFault::StoppedClock => Duration::ZERO,
            _ => self.time.now(),
        }
    }

    fn sleep_until(&self, deadline: Duration) -> FaultySleep {
        let deadline = self.deadline(deadline);
        FaultySleep {
            sleep: self.time.sleep_until(deadline),
            deadline,
            timer: self.clone(),
            first_waker: None,
            was_ready: false,
        }
    }

    fn reset(&self, mut sleep: Pin<&mut Option<FaultySleep>>, deadline: Duration) {
        let keep = sleep.as_ref().as_pin_ref().is_some_and(|sleep| match self.fault {
            TimerFault::IgnoresReset => !sleep.was_ready,
            TimerFault::IgnoresEarlierReset => !sleep.was_ready && deadline < sleep.deadline,
            TimerFault::StaysReady => sleep.was_ready,
            _ => false,
        });
        if !keep {
            sleep.set(Some(self.sleep_until(deadline)));
        }
    }
}

#[derive(Debug)]
pub(super) struct FaultySleep {
    sleep: VirtualSleep,
    deadline: Duration,
    timer: FaultyTimer,
    first_waker: Option<Waker>,
    was_ready: bool,
}

impl Future for FaultySleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let is_first = this.first_waker.is_none();
        let first = this.first_waker.get_or_insert_with(|| cx.waker().clone()).clone();
        let waker = match this.timer.fault {
            TimerFault::KeepsFirstWaker => &first,
            TimerFault::LosesFirstWaker if is_first => Waker::noop(),
            TimerFault::WakesNoTask => Waker::noop(),
            TimerFault::MissesPastDeadline if is_first && this.deadline < this.timer.time.now() => {
                this.deadline = Duration::MAX;
                this.sleep = this.timer.time.sleep_until(Duration::MAX);
                Waker::noop()
            }
            _ => cx.waker(),
        };
        let polled = Pin::new(&mut this.sleep).poll(&mut Context::from_waker(waker));
        this.was_ready |= polled.is_ready();
        if this.timer.fault == TimerFault::NeverReady { Poll::Pending } else { polled }
    }
}
