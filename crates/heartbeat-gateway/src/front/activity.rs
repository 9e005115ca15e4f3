use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use heartbeat_async::Timer;
use tokio::sync::watch;

/// What goes on on a connection: requests that are under way, and bytes that leave. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct Activity<T> {
    requests: watch::Sender<Requests>,
    /// When bytes last left, in nanoseconds since the birth.
    wrote: Arc<AtomicU64>,
    birth: Instant,
    timer: T,
}

#[derive(Debug, Clone, Copy)]
struct Requests {
    /// How many are under way.
    open: usize,
    /// When the last one ended.
    ended: Instant,
}

/// A request that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct Open<T: Timer<Instant = Instant>>(Activity<T>);

impl<T: Timer<Instant = Instant> + Clone> Activity<T> {
    /// Nothing goes on.
    pub(super) fn new(timer: T) -> Self {
        let birth = timer.now();
        let requests = watch::Sender::new(Requests { open: 0, ended: birth });
        Self { requests, wrote: Arc::default(), birth, timer }
    }

    /// One more request is under way.
    pub(super) fn begin(&self) -> Open<T> {
        self.requests.send_modify(|requests| requests.open += 1);
        Open(self.clone())
    }

    /// Bytes have left: what was answered may still be on its way, to a client that reads slowly.
    pub(super) fn on_write(&self) {
        let since_birth = self.timer.now().saturating_duration_since(self.birth).as_nanos();
        self.wrote.store(u64::try_from(since_birth).unwrap_or(u64::MAX), Relaxed);
    }

    /// Ready once nothing went on for so long, from the first poll on. Zero is never, and so is what is
    /// too long to be measured.
    ///
    /// While a request is under way no alarm is set, and those that end meanwhile move none.
    pub(super) async fn idle(&self, timeout: Duration) {
        let start = self.timer.now();
        let mut requests = self.requests.subscribe();
        loop {
            let none = requests.wait_for(|requests| requests.open == 0).await;
            let ended = none.map(|requests| requests.ended); // there is a sender, in `self`
            let wrote = self.birth.checked_add(Duration::from_nanos(self.wrote.load(Relaxed)));
            let since = ended.ok().max(wrote).max(Some(start));
            let deadline = since.and_then(|since| since.checked_add(timeout));
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

impl<T: Timer<Instant = Instant>> Drop for Open<T> {
    fn drop(&mut self) {
        let Self(Activity { requests, timer, .. }) = self;
        let now = timer.now();
        requests.send_modify(|requests| {
            requests.open -= 1;
            requests.ended = now;
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
    async fn it_is_idle_once_nothing_was_under_way_for_long_enough() {
        let activity = Activity::new(TokioTimer);
        let start = time::Instant::now();
        let mut idle = Box::pin(activity.idle(TIMEOUT));
        assert_eq!(idle.as_mut().now_or_never(), None);

        advance(Duration::from_secs(9)).await;
        let (one, two) = (activity.begin(), activity.begin());
        advance(Duration::from_secs(20)).await;
        assert_eq!(idle.as_mut().now_or_never(), None, "two are under way");
        drop(one);
        advance(Duration::from_secs(20)).await;
        assert_eq!(idle.as_mut().now_or_never(), None, "one is under way");
        drop(two); // at 49 s
        idle.await;
        assert_eq!(start.elapsed().as_secs(), 59);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_not_while_an_answer_is_on_its_way() {
        let activity = Activity::new(TokioTimer);
        let start = time::Instant::now();
        let mut idle = Box::pin(activity.idle(TIMEOUT));
        for _ in 0..5 {
            assert_eq!(idle.as_mut().now_or_never(), None);
            advance(Duration::from_secs(9)).await;
            activity.on_write();
        }
        idle.await; // since 45 s
        assert_eq!(start.elapsed().as_secs(), 55);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_counts_only_from_the_first_poll_on() {
        let activity = Activity::new(TokioTimer);
        advance(Duration::from_secs(9)).await;
        let start = time::Instant::now();
        activity.idle(TIMEOUT).await;
        assert_eq!(start.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn zero_and_for_ever_are_never() {
        let activity = Activity::new(TokioTimer);
        for never in [Duration::ZERO, Duration::MAX] {
            let idle = time::timeout(Duration::from_secs(1_000_000), activity.idle(never));
            assert!(idle.await.is_err(), "{never:?}");
        }
    }
}
