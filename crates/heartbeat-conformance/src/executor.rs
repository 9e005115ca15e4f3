//! Tasks that run concurrently with a scenario.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;
use std::task::{Context, Poll, Waker};

use crate::test_result::{Failed, TestResult};

/// How many rounds a scenario may take before it counts as spinning.
const ROUNDS: usize = 100_000;

/// Runs tasks concurrently with a scenario. A task is polled only if its own waker was called, so that a lost wake-up is noticed.
/// Clones are the same executor.
#[derive(Clone, Default)]
pub(crate) struct LocalExecutor<'a> {
    spawned: Rc<RefCell<Vec<Task<'a>>>>,
}

struct Task<'a> {
    future: Pin<Box<dyn Future<Output = ()> + 'a>>,
    aborted: Rc<Cell<bool>>,
    polls: Rc<Cell<usize>>,
    wake_flag: Arc<WakeFlag>,
}

/// A spawned task.
pub(crate) struct Handle<R> {
    result: Rc<Cell<Option<R>>>,
    aborted: Rc<Cell<bool>>,
    polls: Rc<Cell<usize>>,
}

impl<R> Handle<R> {
    /// The output of the task, if it has ended.
    pub(crate) fn take(&self) -> Option<R> {
        self.result.take()
    }

    /// How often the task was polled.
    pub(crate) fn polls(&self) -> usize {
        self.polls.get()
    }

    /// Drops the task.
    pub(crate) fn abort(&self) {
        self.aborted.set(true);
    }
}

impl<'a> LocalExecutor<'a> {
    /// Starts a task. It runs while the scenario waits.
    pub(crate) fn spawn<R: 'a>(&self, future: impl Future<Output = R> + 'a) -> Handle<R> {
        let (result, aborted) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(false)));
        let polls = Rc::new(Cell::new(0));
        let handle = Handle {
            result: Rc::clone(&result),
            aborted: Rc::clone(&aborted),
            polls: Rc::clone(&polls),
        };
        let future = Box::pin(async move { result.set(Some(future.await)) });
        let wake_flag = Arc::new(WakeFlag { woken: AtomicBool::new(true), to: Mutex::default() });
        self.spawned.borrow_mut().push(Task { future, aborted, polls, wake_flag });
        handle
    }

    /// Runs a scenario concurrently with the tasks. The tasks end with the scenario.
    pub(crate) async fn run_with(&self, scenario: impl Future<Output = TestResult>) -> TestResult {
        let mut scenario = pin!(scenario);
        let mut running = Vec::new();
        let mut repetitions = 0;
        poll_fn(|cx| {
            loop {
                repetitions += 1;
                if repetitions > ROUNDS {
                    return Poll::Ready(Err(Failed::Wrong(String::from("the tasks spin"))));
                }
                running.append(&mut self.spawned.borrow_mut());
                let mut any = false;
                running.retain_mut(|task| !task.aborted.get() && task.poll_if_woken(cx, &mut any));
                if any {
                    continue;
                }
                // Last, so that it sees what the tasks have done.
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
    /// Polls the task if it was woken. Returns whether it is still running.
    fn poll_if_woken(&mut self, cx: &Context<'_>, any: &mut bool) -> bool {
        self.wake_flag.set(cx.waker());
        if !self.wake_flag.woken.swap(false, Ordering::Relaxed) {
            return true;
        }
        *any = true;
        self.polls.set(self.polls.get() + 1);
        let waker = Waker::from(Arc::clone(&self.wake_flag));
        self.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
    }
}

/// Notes that its task was woken, and wakes the scenario.
#[derive(Debug)]
struct WakeFlag {
    woken: AtomicBool,
    to: Mutex<Option<Waker>>,
}

impl WakeFlag {
    fn set(&self, waker: &Waker) {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        *to = Some(waker.clone());
    }
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
        let to = self.to.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(to) = to {
            to.wake();
        }
    }
}
