use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use pin_project_lite::pin_project;

use crate::beats;

pin_project! {
    /// Polls a stream for ever and counts what it yields. Written out, for an `async fn` would have room for
    /// the stream twice.
    pub(super) struct Follow<S> {
        #[pin]
        stream: S,
    }
}

pub(super) fn follow<S: Stream>(stream: S) -> Follow<S> {
    Follow { stream }
}

impl<S: Stream> Future for Follow<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            match this.stream.as_mut().poll_next(cx) {
                Poll::Ready(Some(_)) => beats::count(),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
