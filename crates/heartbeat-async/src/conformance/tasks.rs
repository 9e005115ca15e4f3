use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::rc::Rc;
use std::string::String;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;
use std::vec::Vec;

use super::stage::{Trouble, Verdict};

/// How often a scenario may go on before it counts as spinning.
const ROUNDS: usize = 100_000;

/// Tasks beside a scenario. Each is polled if it was woken itself, and not if another was: a wake-up
/// that was lost is not made good by chance. Clones are the same tasks.
#[derive(Clone, Default)]
pub(super) struct Tasks<'a> {
    spawned: Rc<RefCell<Vec<Task<'a>>>>,
}

struct Task<'a> {
    future: Pin<Box<dyn Future<Output = ()> + 'a>>,
    aborted: Rc<Cell<bool>>,
    polls: Rc<Cell<usize>>,
    relay: Arc<Relay>,
}

/// What becomes of a task.
pub(super) struct Handle<R> {
    result: Rc<Cell<Option<R>>>,
    aborted: Rc<Cell<bool>>,
    polls: Rc<Cell<usize>>,
}

impl<R> Handle<R> {
    /// What it ended with, if it has ended.
    pub(super) fn take(&self) -> Option<R> {
        self.result.take()
    }

    /// How often it was polled.
    pub(super) fn polls(&self) -> usize {
        self.polls.get()
    }

    /// Drops it.
    pub(super) fn abort(&self) {
        self.aborted.set(true);
    }
}

impl<'a> Tasks<'a> {
    /// Starts a task. It goes on whenever the scenario waits.
    pub(super) fn spawn<R: 'a>(&self, future: impl Future<Output = R> + 'a) -> Handle<R> {
        let (result, aborted) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(false)));
        let polls = Rc::new(Cell::new(0));
        let handle = Handle {
            result: Rc::clone(&result),
            aborted: Rc::clone(&aborted),
            polls: Rc::clone(&polls),
        };
        let future = Box::pin(async move { result.set(Some(future.await)) });
        let relay = Arc::new(Relay { woken: AtomicBool::new(true), to: Mutex::default() });
        self.spawned.borrow_mut().push(Task { future, aborted, polls, relay });
        handle
    }

    /// Plays the scenario, and the tasks beside it. They end with it.
    pub(super) async fn beside(&self, scenario: impl Future<Output = Verdict>) -> Verdict {
        let mut scenario = pin!(scenario);
        let mut running = Vec::new();
        let mut rounds = 0;
        poll_fn(|cx| {
            loop {
                rounds += 1;
                if rounds > ROUNDS {
                    return Poll::Ready(Err(Trouble::Wrong(String::from("the tasks spin"))));
                }
                running.append(&mut self.spawned.borrow_mut());
                let mut any = false;
                running.retain_mut(|task| !task.aborted.get() && task.goes_on(cx, &mut any));
                if any {
                    continue;
                }
                // Last, so that it sees what came of what has happened.
                match scenario.as_mut().poll(cx) {
                    Poll::Pending if self.spawned.borrow().is_empty() => return Poll::Pending,
                    Poll::Pending => {}
                    ready @ Poll::Ready(_) => return ready,
                }
            }
        })
        .await
    }
}

impl Task<'_> {
    /// Polls the task if it was woken, and tells whether there is more to come.
    fn goes_on(&mut self, cx: &Context<'_>, any: &mut bool) -> bool {
        self.relay.set(cx.waker());
        if !self.relay.woken.swap(false, Ordering::Relaxed) {
            return true;
        }
        *any = true;
        self.polls.set(self.polls.get() + 1);
        let waker = Waker::from(Arc::clone(&self.relay));
        self.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
    }
}

/// Remembers that its task was woken, and wakes whoever plays them all.
#[derive(Debug)]
struct Relay {
    woken: AtomicBool,
    to: Mutex<Option<Waker>>,
}

impl Relay {
    fn set(&self, waker: &Waker) {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        *to = Some(waker.clone());
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
        let to = self.to.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(to) = to {
            to.wake();
        }
    }
}
