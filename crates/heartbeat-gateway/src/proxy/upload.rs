//! The body of a request on its way to the upstream.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

pin_project! {
    /// A body that passes as it comes, and tells when.
    #[derive(Debug)]
    #[must_use = "bodies do nothing unless polled"]
    pub struct Upload<B> {
        #[pin]
        body: Option<B>,
        latest: watch::Sender<Instant>,
    }
}

/// When the latest piece of an [`Upload`] passed, or when it was made.
#[derive(Debug)]
pub(super) struct Progress(watch::Receiver<Instant>);

impl<B> Upload<B> {
    pub(super) fn new(body: B) -> (Self, Progress) {
        let (latest, progress) = watch::channel(Instant::now());
        (Self { body: Some(body), latest }, Progress(progress))
    }

    /// The same once more, where it has nothing in it.
    pub(super) fn again(&self) -> Option<Self>
    where
        B: Body,
    {
        self.is_end_stream().then(|| Self { body: None, latest: self.latest.clone() })
    }
}

impl<B: Body> Body for Upload<B> {
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
    /// Waits for the answer while there is progress, and then no longer than `limit`; zero is for ever.
    /// None if that was too long.
    pub(super) async fn answered_within<A>(
        self,
        limit: Duration,
        answer: impl Future<Output = A>,
    ) -> Option<A> {
        let mut answer = pin!(answer);
        let deadline = || self.0.borrow().checked_add(limit);
        while let Some(patience) = deadline().filter(|_| !limit.is_zero()) {
            match timeout_at(patience, &mut answer).await {
                Ok(answer) => return Some(answer),
                Err(_) if deadline() == Some(patience) => return None,
                Err(_) => {}
            }
        }
        Some(answer.await)
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

    const LIMIT: Duration = Duration::from_secs(10);

    /// A piece after 8 s, and another 8 s later.
    fn slow() -> impl Body<Data = Bytes, Error = Infallible> {
        let pieces = stream::unfold(0, |number| async move {
            (number < 2).then_some(())?;
            sleep(Duration::from_secs(8)).await;
            Some((Ok(Frame::data(Bytes::from_static(b"piece"))), number + 1))
        });
        StreamBody::new(pieces)
    }

    #[tokio::test(start_paused = true)]
    async fn patience_begins_anew_with_each_piece() {
        let start = Instant::now();
        let (upload, progress) = Upload::new(slow());
        let answer = async {
            let _ = upload.collect().await;
            pending::<()>().await;
        };
        assert_eq!(progress.answered_within(LIMIT, answer).await, None);
        assert_eq!(start.elapsed().as_secs(), 26);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_time_is_one() {
        let (_upload, progress) = Upload::new(slow());
        let answer = sleep(Duration::from_secs(9));
        assert_eq!(progress.answered_within(LIMIT, answer).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_may_have_no_end() {
        for limit in [Duration::ZERO, Duration::MAX] {
            let (_upload, progress) = Upload::new(slow());
            let answer = sleep(Duration::from_secs(1_000_000));
            assert_eq!(progress.answered_within(limit, answer).await, Some(()));
        }
    }
}
