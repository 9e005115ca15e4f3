//! A world without a runtime: a clock that moves when it is told to, alarms on it, and streams whose
//! items are laid before them by hand.

#![allow(unreachable_pub, dead_code, reason = "it is a module of several test programs")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use heartbeat_async::Timer;

/// A clock on which everything is counted. Clones show the same time.
#[derive(Clone, Default)]
pub struct Clock(Rc<World>);

#[derive(Default)]
struct World {
    now: Cell<Duration>,
    reads: Cell<usize>,
    resets: Cell<usize>,
    /// How much too early the alarms go off, whatever `granularity` says.
    early: Cell<Duration>,
    granularity: Cell<Duration>,
    sleeping: RefCell<Vec<(Duration, Waker)>>,
    /// Alarms that there are.
    alarms: Cell<usize>,
    alarm_polls: Cell<usize>,
}

impl Clock {
    pub fn at(&self) -> Duration {
        self.0.now.get()
    }

    /// Moves the time on and wakes whoever set an alarm for it.
    pub fn advance(&self, by: Duration) {
        let now = self.0.now.get() + by;
        self.0.now.set(now);
        let early = self.0.early.get();
        let (due, sleeping): (Vec<_>, _) =
            self.0.sleeping.take().into_iter().partition(|(deadline, _)| *deadline <= now + early);
        self.0.sleeping.replace(sleeping);
        for (_, waker) in due {
            waker.wake();
        }
    }

    pub fn reads(&self) -> usize {
        self.0.reads.get()
    }

    pub fn resets(&self) -> usize {
        self.0.resets.get()
    }

    /// How often an alarm was asked whether it has gone off.
    pub fn alarm_polls(&self) -> usize {
        self.0.alarm_polls.get()
    }

    pub fn alarms(&self) -> usize {
        self.0.alarms.get()
    }

    pub fn alarms_go_off_early(&self, by: Duration) {
        self.0.early.set(by);
    }

    pub fn set_granularity(&self, granularity: Duration) {
        self.0.granularity.set(granularity);
    }
}

impl Timer for Clock {
    type Instant = Duration;
    type Sleep = Alarm;

    fn now(&self) -> Duration {
        self.0.reads.set(self.0.reads.get() + 1);
        self.0.now.get()
    }

    fn sleep_until(&self, deadline: Duration) -> Alarm {
        self.0.resets.set(self.0.resets.get() + 1);
        self.0.alarms.set(self.0.alarms.get() + 1);
        Alarm { clock: self.clone(), deadline }
    }

    fn granularity(&self) -> Duration {
        self.0.granularity.get()
    }
}

/// An alarm of a [`Clock`].
pub struct Alarm {
    clock: Clock,
    deadline: Duration,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.clock.0.alarms.set(self.clock.0.alarms.get() - 1);
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let world = &self.clock.0;
        world.alarm_polls.set(world.alarm_polls.get() + 1);
        if world.now.get() + world.early.get() >= self.deadline {
            return Poll::Ready(());
        }
        world.sleeping.borrow_mut().push((self.deadline, cx.waker().clone()));
        Poll::Pending
    }
}

/// A stream of what is pushed to it.
pub struct Source<T>(Rc<RefCell<Items<T>>>);

struct Items<T> {
    ready: VecDeque<T>,
    ended: bool,
    ends_told: usize,
    waker: Option<Waker>,
}

impl<T> Clone for Source<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Source<T> {
    pub fn new() -> Self {
        let (ready, waker) = (VecDeque::new(), None);
        Self(Rc::new(RefCell::new(Items { ready, ended: false, ends_told: 0, waker })))
    }

    pub fn push(&self, item: T) {
        let mut items = self.0.borrow_mut();
        items.ready.push_back(item);
        if let Some(waker) = items.waker.take() {
            waker.wake();
        }
    }

    pub fn end(&self) {
        let mut items = self.0.borrow_mut();
        items.ended = true;
        if let Some(waker) = items.waker.take() {
            waker.wake();
        }
    }

    /// How often a poll was answered with the end.
    pub fn ends_told(&self) -> usize {
        self.0.borrow().ends_told
    }
}

impl<T> Stream for Source<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut items = self.0.borrow_mut();
        if let Some(item) = items.ready.pop_front() {
            return Poll::Ready(Some(item));
        }
        if items.ended {
            items.ends_told += 1;
            return Poll::Ready(None);
        }
        items.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let items = self.0.borrow();
        (items.ready.len(), items.ended.then_some(items.ready.len()))
    }
}
