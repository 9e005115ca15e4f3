use core::cell::RefCell;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::rc::Rc;

use futures_core::Stream;

/// A stream of what is pushed to it. Clones push to the same stream.
#[derive(Debug)]
pub(crate) struct Source<T>(Rc<RefCell<Items<T>>>);

#[derive(Debug)]
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
    pub(crate) fn new() -> Self {
        let (ready, waker) = (VecDeque::new(), None);
        Self(Rc::new(RefCell::new(Items { ready, ended: false, ends_told: 0, waker })))
    }

    pub(crate) fn push(&self, item: T) {
        let mut items = self.0.borrow_mut();
        items.ready.push_back(item);
        wake(items.waker.take());
    }

    pub(crate) fn end(&self) {
        let mut items = self.0.borrow_mut();
        items.ended = true;
        wake(items.waker.take());
    }

    /// How often a poll was answered with the end.
    pub(crate) fn ends_told(&self) -> usize {
        self.0.borrow().ends_told
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
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
