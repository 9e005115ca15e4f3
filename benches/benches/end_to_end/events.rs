use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

/// A stream of `count` items. After `in_a_row` items it is pending once, and wakes its task.
pub(crate) struct Events<F> {
    left: u32,
    in_a_row: u32,
    since: u32,
    make: F,
}

impl<F> Events<F> {
    pub(crate) fn new(count: u32, in_a_row: u32, make: F) -> Self {
        Self { left: count, in_a_row, since: 0, make }
    }
}

impl<F, T> Stream for Events<F>
where
    F: FnMut() -> T + Unpin,
{
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if self.since == self.in_a_row {
            self.since = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.since += 1;
        self.left -= 1;
        Poll::Ready(Some((self.make)()))
    }
}
