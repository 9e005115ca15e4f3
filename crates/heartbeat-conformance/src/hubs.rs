//! The hubs of a scenario, and their executor.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use heartbeat_async::{Hub, HubTask, Timer};

/// The hubs of a scenario. Clones are the same hubs.
pub(crate) struct Hubs<T: Timer>(Rc<RefCell<State<T>>>);

struct State<T: Timer> {
    executor: Vec<Pin<Box<HubTask<T>>>>,
    waker: Option<Waker>,
}

impl<T: Timer> Hubs<T> {
    pub(crate) fn open(&self, timer: T) -> Hub<T> {
        let (hub, task) = Hub::with_timer(timer);
        let mut state = self.0.borrow_mut();
        state.executor.push(Box::pin(task));
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        hub
    }

    /// Runs their executor, forever.
    pub(crate) async fn run(self) {
        poll_fn(|cx| {
            let mut state = self.0.borrow_mut();
            state.executor.retain_mut(|task| task.as_mut().poll(cx).is_pending());
            state.waker = Some(cx.waker().clone());
            Poll::<()>::Pending
        })
        .await;
    }
}

impl<T: Timer> Clone for Hubs<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: Timer> Default for Hubs<T> {
    fn default() -> Self {
        Self(Rc::new(RefCell::new(State { executor: Vec::new(), waker: None })))
    }
}
