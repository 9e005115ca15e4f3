//! Tracks the progress of a request body on its way to the upstream.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// A body that records when its latest frame passed. It can be taken back until its first frame is read.
#[derive(Debug)]
#[must_use = "bodies do nothing unless polled"]
pub(crate) struct ProgressBody<B> {
    /// The body, once a frame was read.
    read: Option<B>,
    unread: UnreadBody<B>,
}

/// A handle to take a [`ProgressBody`] back.
#[derive(Debug)]
pub(crate) struct UnreadBody<B> {
    /// The body, until a frame is read.
    body: Arc<Mutex<Option<B>>>,
    latest: watch::Sender<Instant>,
}

/// The time of the latest frame of a [`ProgressBody`], or of its creation.
#[derive(Debug)]
pub(crate) struct Progress(watch::Receiver<Instant>);

impl<B> ProgressBody<B> {
    pub(crate) fn new(body: B) -> (Self, Progress) {
        let (latest, progress) = watch::channel(Instant::now());
        (Self::with_latest(body, latest), Progress(progress))
    }

    fn with_latest(body: B, latest: watch::Sender<Instant>) -> Self {
        let body = Arc::new(Mutex::new(Some(body)));
        Self { read: None, unread: UnreadBody { body, latest } }
    }

    pub(crate) fn unread(&self) -> UnreadBody<B> {
        UnreadBody { body: Arc::clone(&self.unread.body), latest: self.unread.latest.clone() }
    }

    fn inspect<R>(&self, body: impl FnOnce(Option<&B>) -> R) -> R {
        if self.read.is_some() {
            body(self.read.as_ref())
        } else {
            body(self.unread.lock().as_ref())
        }
    }
}

impl<B> UnreadBody<B> {
    /// Takes the body back, to send it again. `None` if a frame was read.
    pub(crate) fn take(&self) -> Option<ProgressBody<B>> {
        let body = self.lock().take()?;
        Some(ProgressBody::with_latest(body, self.latest.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<B>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Body + Unpin> Body for ProgressBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = &mut *self;
        let frame = if let Some(body) = &mut this.read {
            ready!(Pin::new(body).poll_frame(cx))
        } else {
            let mut unread = this.unread.lock();
            let Some(body) = unread.as_mut() else { return Poll::Ready(None) }; // taken back
            let frame = ready!(Pin::new(body).poll_frame(cx));
            this.read = unread.take();
            frame
        };
        this.unread.latest.send_replace(Instant::now());
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inspect(|body| body.is_none_or(Body::is_end_stream))
    }

    fn size_hint(&self) -> SizeHint {
        self.inspect(|body| body.map_or_else(|| SizeHint::with_exact(0), Body::size_hint))
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

    use futures_util::{FutureExt, stream};
    use http_body_util::{BodyExt, Full, StreamBody};
    use hyper::body::Bytes;
    use tokio::time::sleep;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    /// A frame after 8 s, and another one after 16 s.
    fn slow() -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        let pieces = stream::unfold(0, |number| async move {
            (number < 2).then_some(())?;
            sleep(Duration::from_secs(8)).await;
            Some((Ok(Frame::data(Bytes::from_static(b"piece"))), number + 1))
        });
        StreamBody::new(Box::pin(pieces))
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
    async fn a_body_can_be_taken_back_until_a_frame_was_read() {
        let (mut body, progress) = ProgressBody::new(slow());
        let unread = body.unread();
        assert!(body.frame().now_or_never().is_none(), "the first frame takes 8 s");
        let mut body = unread.take().expect("no frame was read");
        let unread = body.unread();
        sleep(Duration::from_secs(8)).await;
        assert!(body.frame().await.is_some());
        assert_eq!(*progress.0.borrow(), Instant::now(), "it still reports its frames");
        assert!(unread.take().is_none(), "a frame was read");
        assert!(body.frame().await.is_some(), "it continues");
    }

    #[tokio::test]
    async fn size_and_end_are_those_of_the_body() {
        let (body, _progress) = ProgressBody::new(Full::<Bytes>::from("four"));
        assert_eq!(body.size_hint().exact(), Some(4));
        assert!(!body.is_end_stream());
        let unread = body.unread();
        assert_eq!(body.collect().await.expect("no error").to_bytes(), "four");
        assert!(unread.take().is_none());

        let (mut body, _progress) = ProgressBody::new(Full::<Bytes>::default());
        assert!(body.is_end_stream());
        let again = body.unread().take().expect("no frame was read");
        assert!(again.is_end_stream());
        assert!(body.frame().await.is_none(), "taken back");
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
