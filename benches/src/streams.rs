//! The stream that the benches poll, and the loop that polls it.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

/// An endless stream: pending once, then ready `length` times, and so on. At the first pending poll a wrapper sets
/// its sleep; later polls measure the steady state.
#[derive(Debug)]
pub struct Bursts<F> {
    length: u32,
    left: u32,
    make: F,
}

impl<F> Bursts<F> {
    /// Creates a stream whose bursts have `length` items, made by `make`.
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

/// Polls until the stream is pending. The `black_box` keeps the compiler from holding the state of the stream in
/// registers from poll to poll, which an executor could not do either.
#[inline]
pub fn drain<S: Stream>(mut stream: Pin<&mut S>) {
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(item)) = black_box(stream.as_mut()).poll_next(&mut cx) {
        black_box(item);
    }
}
