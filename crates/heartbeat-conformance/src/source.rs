//! The stream that a scenario puts items into.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

/// A stream of the items that are pushed to it. Clones are the same stream.
#[derive(Debug)]
pub struct Source<T>(Rc<RefCell<Items<T>>>);

#[derive(Debug)]
struct Items<T> {
    ready: VecDeque<T>,
    ended: bool,
    ends_seen: usize,
    waker: Option<Waker>,
}

impl<T> Clone for Source<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Default for Source<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Source<T> {
    /// A stream with no items.
    #[must_use]
    pub fn new() -> Self {
        let (ready, waker) = (VecDeque::new(), None);
        Self(Rc::new(RefCell::new(Items { ready, ended: false, ends_seen: 0, waker })))
    }

    /// Adds an item, and wakes the task that waits for it.
    pub fn push(&self, item: T) {
        let mut items = self.0.borrow_mut();
        items.ready.push_back(item);
        wake(items.waker.take());
    }

    /// Ends the stream, and wakes the task that waits for it.
    pub fn end(&self) {
        let mut items = self.0.borrow_mut();
        items.ended = true;
        wake(items.waker.take());
    }

    /// How often a poll has returned the end.
    #[must_use]
    pub fn ends_seen(&self) -> usize {
        self.0.borrow().ends_seen
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
            items.ends_seen += 1;
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
