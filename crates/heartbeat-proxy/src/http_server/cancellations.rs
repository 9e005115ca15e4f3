use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use heartbeat_async::Timer;
use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::sync::Notify;

/// Maximum number of requests that a client may cancel per second. A browser that leaves a page cancels up to 100.
const MAX_CANCELLED: u32 = 200;

/// Maximum number of requests after the limit was exceeded. Some may have been on their way.
const MAX_LATE: u32 = 200;

/// Limits how many requests per second a client cancels on one connection: each may have opened a connection to the
/// upstream. Clones share the state.
#[derive(Debug, Clone)]
pub(super) struct CancellationLimit<T> {
    counts: Arc<Mutex<Counts>>,
    exceeded: Arc<Notify>,
    timer: T,
}

#[derive(Debug)]
enum Counts {
    /// Requests cancelled since an instant, which is at most a second ago.
    Cancelled { since: Instant, count: u32 },
    /// Requests since the limit was exceeded.
    Late(u32),
}

/// A request. It was cancelled if the guard is dropped without a call of `finish`.
#[derive(Debug)]
pub(super) struct CancellationGuard<T: Timer<Instant = Instant>> {
    limit: CancellationLimit<T>,
    finished: bool,
}

impl<T: Timer<Instant = Instant> + Clone> CancellationLimit<T> {
    pub(super) fn new(timer: T) -> Self {
        let counts = Counts::Cancelled { since: timer.now(), count: 0 };
        Self { counts: Arc::new(Mutex::new(counts)), exceeded: Arc::default(), timer }
    }

    pub(super) fn start_request(&self) -> CancellationGuard<T> {
        if let Counts::Late(count) =
            &mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
        {
            *count = count.saturating_add(1);
            if *count == MAX_LATE {
                self.exceeded.notify_one();
            }
        }
        CancellationGuard { limit: self.clone(), finished: false }
    }

    /// Waits until the client has cancelled too many requests, and the next time until it has sent too many requests
    /// since then.
    pub(super) async fn exceeded(&self) {
        self.exceeded.notified().await;
    }
}

impl<T: Timer<Instant = Instant>> CancellationLimit<T> {
    fn on_cancelled(&self) {
        let now = self.timer.now();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let Counts::Cancelled { since, count } = &mut *counts else { return };
        if now.saturating_duration_since(*since) >= Duration::from_secs(1) {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        if *count > MAX_CANCELLED {
            *counts = Counts::Late(0);
            self.exceeded.notify_one();
        }
    }
}

impl<T: Timer<Instant = Instant>> CancellationGuard<T> {
    fn finish(&mut self) {
        self.finished = true;
    }
}

impl<T: Timer<Instant = Instant>> Drop for CancellationGuard<T> {
    fn drop(&mut self) {
        if !self.finished {
            self.limit.on_cancelled();
        }
    }
}

pin_project! {
    /// A response body that finishes its request when it has ended.
    pub(super) struct CancellableBody<B, T: Timer<Instant = Instant>> {
        #[pin]
        body: B,
        guard: CancellationGuard<T>,
    }
}

impl<B: Body, T: Timer<Instant = Instant>> CancellableBody<B, T> {
    pub(super) fn new(body: B, mut guard: CancellationGuard<T>) -> Self {
        if body.is_end_stream() {
            guard.finish();
        }
        Self { body, guard }
    }
}

impl<B: Body, T: Timer<Instant = Instant>> Body for CancellableBody<B, T> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || this.body.is_end_stream() {
            this.guard.finish();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use heartbeat_tokio::TokioTimer;
    use http_body_util::{BodyExt, Full};
    use hyper::body::Bytes;
    use tokio::time::advance;

    use super::*;

    fn cancel(limit: &CancellationLimit<TokioTimer>, count: u32) {
        for _ in 0..count {
            drop(limit.start_request());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn cancelled_requests_are_counted_per_second() {
        let limit = CancellationLimit::new(TokioTimer);
        for _ in 0..3 {
            cancel(&limit, MAX_CANCELLED);
            advance(Duration::from_secs(1)).await;
        }
        cancel(&limit, MAX_CANCELLED);
        assert!(limit.exceeded().now_or_never().is_none());
        cancel(&limit, 1);
        assert!(limit.exceeded().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_limit_all_requests_are_counted() {
        let limit = CancellationLimit::new(TokioTimer);
        let open: Vec<_> = (0..MAX_CANCELLED * 3).map(|_| limit.start_request()).collect();
        drop(open);
        assert!(limit.exceeded().now_or_never().is_some());
        cancel(&limit, MAX_LATE - 1);
        assert!(limit.exceeded().now_or_never().is_none(), "only later requests count");
        cancel(&limit, 1);
        assert!(limit.exceeded().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_that_ends_is_not_cancelled() {
        let limit = CancellationLimit::new(TokioTimer);
        for _ in 0..MAX_CANCELLED * 2 {
            let body = CancellableBody::new(Full::<Bytes>::from("body"), limit.start_request());
            assert_eq!(body.collect().await.expect("no error").to_bytes(), "body");
            drop(CancellableBody::new(Full::<Bytes>::default(), limit.start_request()));
        }
        assert!(limit.exceeded().now_or_never().is_none());
        for _ in 0..=MAX_CANCELLED {
            drop(CancellableBody::new(Full::<Bytes>::from("body"), limit.start_request()));
        }
        assert!(limit.exceeded().now_or_never().is_some());
    }
}
