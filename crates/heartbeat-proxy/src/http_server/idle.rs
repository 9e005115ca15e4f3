use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use heartbeat_async::Timer;
use tokio::sync::watch;

/// Detects an idle connection from its open requests and its writes. Clones share the state.
#[derive(Debug, Clone)]
pub(super) struct IdleTracker<T> {
    requests: watch::Sender<Requests>,
    /// Time of the last write, in nanoseconds since `created`.
    last_write: Arc<AtomicU64>,
    created: Instant,
    timer: T,
}

#[derive(Debug, Clone, Copy)]
struct Requests {
    open: usize,
    last_closed: Instant,
}

/// An open request. Dropping the guard closes it.
#[derive(Debug)]
pub(super) struct RequestGuard<T: Timer<Instant = Instant>>(IdleTracker<T>);

impl<T: Timer<Instant = Instant> + Clone> IdleTracker<T> {
    pub(super) fn new(timer: T) -> Self {
        let created = timer.now();
        let requests = watch::Sender::new(Requests { open: 0, last_closed: created });
        Self { requests, last_write: Arc::default(), created, timer }
    }

    /// Counts a request until the guard is dropped.
    pub(super) fn start_request(&self) -> RequestGuard<T> {
        self.requests.send_modify(|requests| requests.open += 1);
        RequestGuard(self.clone())
    }

    pub(super) fn has_open_request(&self) -> bool {
        self.requests.borrow().open > 0
    }

    /// Records a write. The response of a closed request may still be on its way to a slow client.
    pub(super) fn on_write(&self) {
        let since_created = self.timer.now().saturating_duration_since(self.created).as_nanos();
        self.last_write.store(u64::try_from(since_created).unwrap_or(u64::MAX), Relaxed);
    }

    /// Waits until there was no open request and no write for `timeout`, counted from the first poll. Never ready
    /// if `timeout` is zero or exceeds the range of the clock.
    ///
    /// While a request is open no sleep is armed, and further requests do not move one.
    pub(super) async fn wait_idle(&self, timeout: Duration) {
        let start = self.timer.now();
        let mut requests = self.requests.subscribe();
        loop {
            let none_open = requests.wait_for(|requests| requests.open == 0).await;
            let last_closed = none_open.map(|requests| requests.last_closed); // `self` keeps the sender
            let nanos = Duration::from_nanos(self.last_write.load(Relaxed));
            let last_write = self.created.checked_add(nanos);
            let idle_since = last_closed.ok().max(last_write).max(Some(start));
            let deadline = idle_since.and_then(|since| since.checked_add(timeout));
            let Some(deadline) = deadline.filter(|_| !timeout.is_zero()) else {
                return std::future::pending().await;
            };
            if self.timer.now() >= deadline {
                return;
            }
            self.timer.sleep_until(deadline).await;
        }
    }
}

impl<T: Timer<Instant = Instant>> Drop for RequestGuard<T> {
    fn drop(&mut self) {
        let Self(IdleTracker { requests, timer, .. }) = self;
        let now = timer.now();
        requests.send_modify(|requests| {
            requests.open -= 1;
            requests.last_closed = now;
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use heartbeat_tokio::TokioTimer;
    use tokio::time::{self, advance};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn idle_after_the_timeout_without_requests() {
        let tracker = IdleTracker::new(TokioTimer);
        let start = time::Instant::now();
        let mut idle = Box::pin(tracker.wait_idle(TIMEOUT));
        assert_eq!(idle.as_mut().now_or_never(), None);

        advance(Duration::from_secs(9)).await;
        let (first, second) = (tracker.start_request(), tracker.start_request());
        advance(Duration::from_secs(20)).await;
        assert_eq!(idle.as_mut().now_or_never(), None, "two requests are open");
        drop(first);
        advance(Duration::from_secs(20)).await;
        assert_eq!(idle.as_mut().now_or_never(), None, "one request is open");
        drop(second); // at 49 s
        idle.await;
        assert_eq!(start.elapsed().as_secs(), 59);
    }

    #[tokio::test(start_paused = true)]
    async fn writes_restart_the_timeout() {
        let tracker = IdleTracker::new(TokioTimer);
        let start = time::Instant::now();
        let mut idle = Box::pin(tracker.wait_idle(TIMEOUT));
        for _ in 0..5 {
            assert_eq!(idle.as_mut().now_or_never(), None);
            advance(Duration::from_secs(9)).await;
            tracker.on_write();
        }
        idle.await; // the last write was at 45 s
        assert_eq!(start.elapsed().as_secs(), 55);
    }

    #[tokio::test(start_paused = true)]
    async fn the_timeout_starts_at_the_first_poll() {
        let tracker = IdleTracker::new(TokioTimer);
        advance(Duration::from_secs(9)).await;
        let start = time::Instant::now();
        tracker.wait_idle(TIMEOUT).await;
        assert_eq!(start.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn zero_and_maximum_disable_the_timeout() {
        let tracker = IdleTracker::new(TokioTimer);
        for never in [Duration::ZERO, Duration::MAX] {
            let idle = time::timeout(Duration::from_secs(1_000_000), tracker.wait_idle(never));
            assert!(idle.await.is_err(), "{never:?}");
        }
    }
}
