use std::time::{Duration, Instant};

use heartbeat_async::Timer;
use tokio::sync::watch;

/// Which requests of a connection are under way. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct Activity<T> {
    state: watch::Sender<State>,
    timer: T,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// How many requests are under way.
    open: usize,
    /// When the last one ended.
    since: Instant,
}

/// A request that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct Open<T: Timer<Instant = Instant>>(Activity<T>);

impl<T: Timer<Instant = Instant> + Clone> Activity<T> {
    /// None is under way.
    pub(super) fn new(timer: T) -> Self {
        let state = State { open: 0, since: timer.now() };
        Self { state: watch::Sender::new(state), timer }
    }

    /// One more is under way.
    pub(super) fn begin(&self) -> Open<T> {
        self.state.send_modify(|state| state.open += 1);
        Open(self.clone())
    }

    /// Ready once none was under way for so long, from the first poll on. Zero is never, and so is what
    /// is too long to be measured.
    ///
    /// While one is under way no alarm is set, and those that end meanwhile move none.
    pub(super) async fn idle(&self, timeout: Duration) {
        let start = self.timer.now();
        let mut state = self.state.subscribe();
        loop {
            let idle = state.wait_for(|state| state.open == 0).await;
            let since = idle.map(|state| state.since.max(start)); // the sender is in `self`
            let deadline = since.ok().and_then(|since| since.checked_add(timeout));
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
        let Self(Activity { state, timer }) = self;
        let now = timer.now();
        state.send_modify(|state| {
            state.open -= 1;
            state.since = now;
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
