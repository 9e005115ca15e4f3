//! The lock of a sink: it serves senders in the order in which they arrived, and no task blocks a thread.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;
use core::ops::{Deref, DerefMut};
use core::task::{Context, Poll, Waker};

use crate::sync::{Mutex, MutexGuard, lock};

/// Lends a value to one task at a time: to senders in their order, and to the driver between them.
///
/// A task borrows the value for a single poll, and returns it before it waits. A sender that waits for the
/// sink keeps its place at the head of the queue, so no other task uses the sink. The driver may borrow the
/// value meanwhile, to look at the schedule.
///
/// The mutex protects the queue and a pointer to the value. It is held for a few instructions. No code of
/// the user runs under it, except for the cloning of wakers.
pub struct FairLock<T> {
    queue: Mutex<Queue<T>>,
}

struct Queue<T> {
    /// `None` while a task has the value.
    value: Option<Box<T>>,
    /// The driver has the value, and borrowed it before a stop was requested.
    driver_may_send: bool,
    /// The first waiter has the turn.
    waiters: VecDeque<Waiter>,
    last_ticket: u64,
    /// Wakes the driver, unless it was woken since its last poll.
    driver: Option<Waker>,
    /// Wake the driver when a sender returns the value.
    driver_awaits_release: bool,
    senders: usize,
    stop_requested: bool,
    /// Calls to `stop` that wait for the driver to return the value.
    stopping: Vec<Waker>,
}

struct Waiter {
    ticket: u64,
    /// Wakes the sender when it has the turn and the value is free. `None` while the sender waits for the
    /// sink instead, and for the driver.
    waker: Option<Waker>,
}

/// The ticket of the driver. Senders have others.
const DRIVER: u64 = 0;

/// A value that was borrowed for one poll. Dropping the guard returns it.
#[must_use = "the value is returned when the guard is dropped"]
pub struct FairGuard<'a, T> {
    lock: &'a FairLock<T>,
    value: Option<Box<T>>,
    holder: Holder<'a>,
    stop_requested: bool,
}

enum Holder<'a> {
    Sender { ticket: &'a mut Option<u64>, keep_turn: bool, notify_driver: bool },
    Driver { has_turn: bool, then: DriverWait },
}

/// What the driver waits for after it has returned the value, in addition to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverWait {
    /// Nothing else.
    Change,
    /// Its turn, behind the senders that are in the queue.
    Turn,
    /// The sink, which wakes only the task that polled it last: the driver polls it again after each sender
    /// that had the value.
    Sink,
}

impl<T> FairLock<T> {
    /// A lock with one sender and one driver.
    pub fn new(value: T) -> Self {
        let queue = Queue {
            value: Some(Box::new(value)),
            driver_may_send: false,
            waiters: VecDeque::new(),
            last_ticket: DRIVER,
            driver: None,
            driver_awaits_release: false,
            senders: 1,
            stop_requested: false,
            stopping: Vec::new(),
        };
        Self { queue: Mutex::new(queue) }
    }

    /// Borrows the value for the driver.
    pub fn poll_driver(&self, cx: &mut Context<'_>) -> Poll<FairGuard<'_, T>> {
        let mut queue = self.queue();
        let known = queue.driver.as_ref().is_some_and(|known| known.will_wake(cx.waker()));
        let old = if known { None } else { queue.driver.replace(cx.waker().clone()) };
        let guard = self.lend_to_driver(&mut queue);
        queue.driver_awaits_release = guard.is_none();
        drop(queue);
        drop(old);
        guard.map_or(Poll::Pending, Poll::Ready)
    }

    /// Requests a stop, and removes the driver, which is ending, from the queue. Borrows the value unless a sender
    /// has it.
    pub fn end_driver(&self) -> Option<FairGuard<'_, T>> {
        let mut queue = self.queue();
        queue.remove(DRIVER);
        queue.stop_requested = true;
        queue.driver_awaits_release = false;
        let waker = queue.driver.take();
        let guard = self.lend_to_driver(&mut queue);
        drop(queue);
        drop(waker);
        guard
    }

    /// Requests a stop. Ready once the driver has returned the value or has seen the stop.
    pub fn poll_stop(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.queue();
        queue.stop_requested = true;
        let driver = queue.driver.take();
        let stopped = !queue.driver_may_send;
        if !stopped {
            queue.stopping.push(cx.waker().clone());
        }
        drop(queue);
        wake(driver);
        if stopped { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Counts one more sender.
    pub fn add_sender(&self) {
        self.queue().senders += 1;
    }

    /// Counts one sender less. The last one requests a stop.
    pub fn remove_sender(&self) {
        let mut queue = self.queue();
        queue.senders -= 1;
        if queue.senders > 0 {
            return;
        }
        queue.stop_requested = true;
        let driver = queue.driver.take();
        drop(queue);
        wake(driver);
    }

    fn lend_to_driver(&self, queue: &mut Queue<T>) -> Option<FairGuard<'_, T>> {
        let value = queue.value.take();
        value.as_ref()?;
        let stop_requested = queue.stop_requested;
        queue.driver_may_send = !stop_requested;
        let has_turn = queue.waiters.front().is_none_or(|first| first.ticket == DRIVER);
        let holder = Holder::Driver { has_turn, then: DriverWait::Change };
        Some(FairGuard { lock: self, value, holder, stop_requested })
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        lock(&self.queue)
    }
}

impl<T> Queue<T> {
    fn new_ticket(&mut self) -> u64 {
        self.last_ticket += 1;
        self.last_ticket
    }

    /// Takes a task out of the queue. Returns its waker.
    fn remove(&mut self, ticket: u64) -> Option<Waker> {
        let place = self.waiters.iter().position(|waiter| waiter.ticket == ticket)?;
        self.waiters.remove(place)?.waker
    }

    /// The waker of the task that has the turn, if it waits for that.
    fn take_first_waker(&mut self) -> Option<Waker> {
        let first = self.waiters.front_mut()?;
        if first.ticket == DRIVER { self.driver.take() } else { first.waker.take() }
    }
}

/// Acquires the turn for a sender. Dropping it leaves the queue.
pub struct Acquire<'a, T> {
    lock: &'a FairLock<T>,
    /// `None` until the sender has to wait.
    ticket: Option<u64>,
}

impl<'a, T> Acquire<'a, T> {
    /// Not in the queue yet: the sender joins it when it has to wait.
    pub fn new(lock: &'a FairLock<T>) -> Self {
        Self { lock, ticket: None }
    }

    /// Borrows the value once the sender has the turn.
    #[inline]
    pub fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<FairGuard<'_, T>> {
        let mut queue = self.lock.queue();
        let first = queue.waiters.front().map(|first| first.ticket);
        let has_turn = first.is_none() || first == self.ticket;
        let value = if has_turn { queue.value.take() } else { None };
        if value.is_none() {
            Self::wait(queue, &mut self.ticket, cx);
            return Poll::Pending;
        }
        let stop_requested = queue.stop_requested;
        let spent = queue.waiters.front_mut().and_then(|first| first.waker.take());
        drop(queue);
        drop(spent);
        let (keep_turn, notify_driver) = (false, false);
        let holder = Holder::Sender { ticket: &mut self.ticket, keep_turn, notify_driver };
        Poll::Ready(FairGuard { lock: self.lock, value, holder, stop_requested })
    }

    /// Joins the queue, or renews the waker there.
    #[cold]
    fn wait(mut queue: MutexGuard<'_, Queue<T>>, ticket: &mut Option<u64>, cx: &mut Context<'_>) {
        let waker = Some(cx.waker().clone());
        let place = queue.waiters.iter_mut().find(|waiter| Some(waiter.ticket) == *ticket);
        let old = if let Some(waiter) = place {
            mem::replace(&mut waiter.waker, waker)
        } else {
            let new = queue.new_ticket();
            queue.waiters.push_back(Waiter { ticket: new, waker });
            *ticket = Some(new);
            None
        };
        drop(queue);
        drop(old);
    }
}

impl<T> Drop for Acquire<'_, T> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut queue = self.lock.queue();
        let left = queue.remove(ticket);
        // A task that has the value wakes the first waiter itself.
        let first = if queue.value.is_some() { queue.take_first_waker() } else { None };
        // The sender may have left something to flush.
        let driver = queue.driver.take();
        drop(queue);
        drop(left);
        wake(first);
        wake(driver);
    }
}

impl<T> FairGuard<'_, T> {
    /// Whether the senders are gone, or one of them has called `stop`.
    pub fn stop_requested(&self) -> bool {
        self.stop_requested
    }

    /// Whether the driver may use the sink: no sender is in front of it.
    pub fn driver_has_turn(&self) -> bool {
        matches!(self.holder, Holder::Driver { has_turn: true, .. })
    }

    /// Returns the value. The sender keeps the turn, since it waits for the sink, or leaves the queue.
    pub fn end_poll(mut self, keeps_turn: bool, notifies_driver: bool) {
        if let Holder::Sender { keep_turn, notify_driver, .. } = &mut self.holder {
            (*keep_turn, *notify_driver) = (keeps_turn, notifies_driver);
        }
    }

    /// Returns the value. The driver waits.
    pub fn end_driver_poll(mut self, wait: DriverWait) {
        if let Holder::Driver { then, .. } = &mut self.holder {
            *then = wait;
        }
    }
}

impl<T> Deref for FairGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_deref().expect("the guard has the value until it is dropped")
    }
}

impl<T> DerefMut for FairGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_deref_mut().expect("the guard has the value until it is dropped")
    }
}

impl<T> Drop for FairGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let mut queue = self.lock.queue();
        queue.value = self.value.take();
        let (mut driver, mut stopping) = (None, Vec::new());
        match &mut self.holder {
            Holder::Sender { ticket, keep_turn, notify_driver } => {
                match (**ticket, *keep_turn) {
                    (None, true) => {
                        let new = queue.new_ticket();
                        queue.waiters.push_front(Waiter { ticket: new, waker: None });
                        **ticket = Some(new);
                    }
                    (Some(_), false) => {
                        queue.waiters.pop_front();
                        **ticket = None;
                    }
                    (None, false) | (Some(_), true) => {}
                }
                if mem::take(&mut queue.driver_awaits_release) || *notify_driver {
                    driver = queue.driver.take();
                }
            }
            Holder::Driver { then, .. } => {
                queue.driver_may_send = false;
                queue.driver_awaits_release = *then == DriverWait::Sink;
                if *then != DriverWait::Turn {
                    queue.remove(DRIVER); // has no waker
                } else if queue.waiters.iter().all(|waiter| waiter.ticket != DRIVER) {
                    queue.waiters.push_back(Waiter { ticket: DRIVER, waker: None });
                }
                stopping = mem::take(&mut queue.stopping);
            }
        }
        let first = queue.take_first_waker();
        drop(queue);
        wake(first);
        wake(driver);
        wake(stopping);
    }
}

fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}
