//! A world without a runtime: a clock that moves when it is told to, alarms on it, and streams whose
//! items are laid before them by hand.

#![allow(unreachable_pub, dead_code, reason = "it is a module of several test programs")]

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use heartbeat_async::Timer;
use heartbeat_async::virtual_time::{self, VirtualTime};

pub use heartbeat_conformance::testing::Source;

/// A clock on which everything is counted. Clones show the same time.
#[derive(Clone, Default)]
pub struct Clock {
    time: VirtualTime,
    calls: Rc<Calls>,
}

#[derive(Default)]
struct Calls {
    reads: Cell<usize>,
    resets: Cell<usize>,
    /// How much too early the alarms go off, whatever `granularity` says.
    early: Cell<Duration>,
    granularity: Cell<Duration>,
    /// Alarms that there are.
    alarms: Cell<usize>,
    alarm_polls: Cell<usize>,
}

impl Clock {
    pub fn at(&self) -> Duration {
        self.time.now()
    }

    /// Advances the clock, and wakes the sleeps that end.
    pub fn advance(&self, by: Duration) {
        self.time.advance(by);
    }

    pub fn reads(&self) -> usize {
        self.calls.reads.get()
    }

    pub fn resets(&self) -> usize {
        self.calls.resets.get()
    }

    /// How often an alarm was asked whether it has gone off.
    pub fn alarm_polls(&self) -> usize {
        self.calls.alarm_polls.get()
    }

    pub fn alarms(&self) -> usize {
        self.calls.alarms.get()
    }

    pub fn alarms_go_off_early(&self, by: Duration) {
        self.calls.early.set(by);
    }

    pub fn set_granularity(&self, granularity: Duration) {
        self.calls.granularity.set(granularity);
    }
}

impl Timer for Clock {
    type Instant = Duration;
    type Sleep = Alarm;

    fn now(&self) -> Duration {
        self.calls.reads.set(self.calls.reads.get() + 1);
        self.time.now()
    }

    fn sleep_until(&self, deadline: Duration) -> Alarm {
        self.calls.resets.set(self.calls.resets.get() + 1);
        self.calls.alarms.set(self.calls.alarms.get() + 1);
        let alarm = self.time.sleep_until(deadline.saturating_sub(self.calls.early.get()));
        Alarm { alarm, calls: Rc::clone(&self.calls) }
    }

    fn granularity(&self) -> Duration {
        self.calls.granularity.get()
    }
}

/// An alarm of a [`Clock`].
pub struct Alarm {
    alarm: virtual_time::VirtualSleep,
    calls: Rc<Calls>,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.calls.alarms.set(self.calls.alarms.get() - 1);
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.calls.alarm_polls.set(self.calls.alarm_polls.get() + 1);
        Pin::new(&mut self.alarm).poll(cx)
    }
}
