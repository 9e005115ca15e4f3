use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use pin_project_lite::pin_project;

use crate::heartbeat_count;

pin_project! {
    /// Polls a stream to its end, and counts its items. Not an `async fn`, whose future would contain the stream
    /// twice.
    pub(super) struct CountItems<S> {
        #[pin]
        stream: S,
    }
}

pub(super) fn count_items<S: Stream>(stream: S) -> CountItems<S> {
    CountItems { stream }
}

impl<S: Stream> Future for CountItems<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            match this.stream.as_mut().poll_next(cx) {
                Poll::Ready(Some(_)) => heartbeat_count::count(),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
