//! The queue of the push side, without its sink.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker, ready};

use heartbeat_async::loom_models::{Acquire, DriverWait, FairGuard, FairLock};
use loom::sync::Arc;

/// The lock that lends the sink. Its value counts the turns that have ended. Clones share it.
#[derive(Clone)]
pub struct TestLock(Arc<FairLock<u32>>);

impl TestLock {
    /// A lock that is free, and has no waiters.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "loom knows it only within a model")]
    pub fn new() -> Self {
        Self(Arc::new(FairLock::new(0)))
    }

    /// Waits for the turn as a sender, and keeps it.
    pub async fn take(&self) -> HeldLock<'_> {
        let mut acquire = Acquire::new(&self.0);
        poll_fn(|cx| {
            ready!(acquire.poll_turn(cx)).end_poll(true, false);
            Poll::Ready(())
        })
        .await;
        HeldLock(acquire)
    }

    /// Takes the turn as the driver, if it is free and no sender waits for it.
    #[must_use]
    pub fn try_take(&self) -> Option<FairGuard<'_, u32>> {
        match self.0.poll_driver(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(guard) => guard.driver_has_turn().then_some(guard),
            Poll::Pending => None,
        }
    }

    /// Waits as the driver, whose waker the sink has replaced, until the turn of a sender has ended.
    pub async fn released(&self) {
        poll_fn(|cx| {
            let turns = ready!(self.0.poll_driver(cx));
            if *turns > 0 {
                return Poll::Ready(());
            }
            turns.end_driver_poll(DriverWait::Sink);
            Poll::Pending
        })
        .await;
    }

    /// Waits as the driver in its place in the queue.
    pub async fn take_as_driver(&self) -> FairGuard<'_, u32> {
        poll_fn(|cx| {
            let turns = ready!(self.0.poll_driver(cx));
            if turns.driver_has_turn() {
                return Poll::Ready(turns);
            }
            turns.end_driver_poll(DriverWait::Turn);
            Poll::Pending
        })
        .await
    }
}

impl fmt::Debug for TestLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestLock").finish_non_exhaustive()
    }
}

/// A turn of a sender. Dropping it cancels it.
#[must_use = "a turn is cancelled when it is dropped"]
pub struct HeldLock<'a>(Acquire<'a, u32>);

impl HeldLock<'_> {
    /// Ends the turn, as a send does that is ready.
    pub async fn release(mut self) {
        poll_fn(|cx| {
            let mut turns = ready!(self.0.poll_turn(cx));
            *turns += 1;
            turns.end_poll(false, false);
            Poll::Ready(())
        })
        .await;
    }
}

impl fmt::Debug for HeldLock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldLock").finish_non_exhaustive()
    }
}
