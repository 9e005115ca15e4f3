//! The hubs of a scenario, and their tasks.

use core::cell::RefCell;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::rc::Rc;
use std::vec::Vec;

use crate::{Hub, HubTask, Timer};

/// Clones are the same hubs.
pub(super) struct Hubs<T: Timer>(Rc<RefCell<State<T>>>);

struct State<T: Timer> {
    tasks: Vec<Pin<Box<HubTask<T>>>>,
    waker: Option<Waker>,
}

impl<T: Timer> Hubs<T> {
    pub(super) fn open(&self, timer: T) -> Hub<T> {
        let (hub, task) = Hub::with_timer(timer);
        let mut state = self.0.borrow_mut();
        state.tasks.push(Box::pin(task));
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        hub
    }

    /// Runs their tasks, for ever.
    pub(super) async fn run(self) {
        poll_fn(|cx| {
            let mut state = self.0.borrow_mut();
            state.tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
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
        Self(Rc::new(RefCell::new(State { tasks: Vec::new(), waker: None })))
    }
}
