//! What is polled, and how.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

/// A stream without end: ready `length` times, then pending once. It begins with the pending, at
/// which a wrapper arms its alarm: what is measured after that is its steady state.
#[derive(Debug)]
pub struct Bursts<F> {
    length: u32,
    left: u32,
    make: F,
}

impl<F> Bursts<F> {
    /// So many items in a row, made by `make`.
    pub fn new(length: u32, make: F) -> Self {
        Self { length, left: 0, make }
    }
}

impl<F, T> Stream for Bursts<F>
where
    F: FnMut(u32) -> T + Unpin,
{
    type Item = T;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        if self.left == 0 {
            self.left = self.length;
            return Poll::Pending;
        }
        self.left -= 1;
        let left = self.left;
        Poll::Ready(Some((self.make)(left)))
    }
}

/// Takes what is ready. Within an executor nothing is known of a stream when a poll begins, hence
/// the `black_box` around it: its state must not be carried in registers from poll to poll.
#[inline]
pub fn drain<S: Stream>(mut stream: Pin<&mut S>) {
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(item)) = black_box(stream.as_mut()).poll_next(&mut cx) {
        black_box(item);
    }
}
