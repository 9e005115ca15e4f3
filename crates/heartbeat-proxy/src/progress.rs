//! Tracks the progress of a request body on its way to the upstream.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

pin_project! {
    /// A body that records when its latest frame passed.
    #[derive(Debug)]
    #[must_use = "bodies do nothing unless polled"]
    pub(crate) struct ProgressBody<B> {
        #[pin]
        body: Option<B>,
        latest: watch::Sender<Instant>,
    }
}

/// The time of the latest frame of a [`ProgressBody`], or of its creation.
#[derive(Debug)]
pub(crate) struct Progress(watch::Receiver<Instant>);

impl<B> ProgressBody<B> {
    pub(crate) fn new(body: B) -> (Self, Progress) {
        let (latest, progress) = watch::channel(Instant::now());
        (Self { body: Some(body), latest }, Progress(progress))
    }

    /// A second body for a retry, if this body is empty.
    pub(crate) fn retryable_copy(&self) -> Option<Self>
    where
        B: Body,
    {
        self.is_end_stream().then(|| Self { body: None, latest: self.latest.clone() })
    }
}

impl<B: Body> Body for ProgressBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else { return Poll::Ready(None) };
        let frame = ready!(body.poll_frame(cx));
        this.latest.send_replace(Instant::now());
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Progress {
    /// Waits for `response` until `timeout` has passed since the latest frame of the body. Returns `None` after the
    /// timeout. Zero disables the timeout.
    pub(crate) async fn response_within<R>(
        self,
        timeout: Duration,
        response: impl Future<Output = R>,
    ) -> Option<R> {
        let mut response = pin!(response);
        let deadline = || self.0.borrow().checked_add(timeout);
        while let Some(current) = deadline().filter(|_| !timeout.is_zero()) {
            match timeout_at(current, &mut response).await {
                Ok(response) => return Some(response),
                Err(_) if deadline() == Some(current) => return None,
                Err(_) => {}
            }
        }
        Some(response.await)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::pending;

    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};
    use hyper::body::Bytes;
    use tokio::time::sleep;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    /// A frame after 8 s, and another one after 16 s.
    fn slow() -> impl Body<Data = Bytes, Error = Infallible> {
        let pieces = stream::unfold(0, |number| async move {
            (number < 2).then_some(())?;
            sleep(Duration::from_secs(8)).await;
            Some((Ok(Frame::data(Bytes::from_static(b"piece"))), number + 1))
        });
        StreamBody::new(pieces)
    }

    #[tokio::test(start_paused = true)]
    async fn each_frame_restarts_the_timeout() {
        let start = Instant::now();
        let (body, progress) = ProgressBody::new(slow());
        let response = async {
            let _ = body.collect().await;
            pending::<()>().await;
        };
        assert_eq!(progress.response_within(TIMEOUT, response).await, None);
        assert_eq!(start.elapsed().as_secs(), 26);
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_in_time_is_returned() {
        let (_body, progress) = ProgressBody::new(slow());
        let response = sleep(Duration::from_secs(9));
        assert_eq!(progress.response_within(TIMEOUT, response).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn zero_and_maximum_disable_the_timeout() {
        for timeout in [Duration::ZERO, Duration::MAX] {
            let (_body, progress) = ProgressBody::new(slow());
            let response = sleep(Duration::from_secs(1_000_000));
            assert_eq!(progress.response_within(timeout, response).await, Some(()));
        }
    }
}
