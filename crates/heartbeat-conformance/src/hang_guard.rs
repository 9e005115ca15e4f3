//! Ends a scenario that hangs.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::test_result::{Failed, TestResult};

/// Runs a scenario, and ends it if it is not polled for `limit` of real time, or twice that. Sleeps are all that a
/// scenario waits for, so one of them was lost.
pub(crate) async fn with_watchdog(
    limit: Duration,
    scenario: impl Future<Output = TestResult>,
) -> TestResult {
    let watched = GuardHandle(Arc::default());
    let guard = Arc::clone(&watched.0);
    thread::spawn(move || guard.wait(limit));
    let mut scenario = pin!(scenario);
    poll_fn(|cx| {
        let mut state = watched.0.state();
        if state.lost {
            let what = format!("nothing has woken the scenario for {limit:?}: a sleep was lost");
            return Poll::Ready(Err(Failed::Wrong(what)));
        }
        state.polled = true;
        state.waker = Some(cx.waker().clone());
        drop(state);
        scenario.as_mut().poll(cx)
    })
    .await
}

/// What the scenario and its watchdog thread share.
#[derive(Default)]
struct Guard {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The scenario was polled since the watchdog thread checked last.
    polled: bool,
    waker: Option<Waker>,
    ended: bool,
    lost: bool,
}

impl Guard {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when the scenario has ended, or after it has woken it.
    fn wait(&self, limit: Duration) {
        let mut state = self.state();
        loop {
            let waited = self.changed.wait_timeout_while(state, limit, |state| !state.ended);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.ended {
                return;
            }
            if !mem::take(&mut state.polled) {
                break;
            }
        }
        state.lost = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Ends the watchdog thread with the scenario, however that ends.
struct GuardHandle(Arc<Guard>);

impl Drop for GuardHandle {
    fn drop(&mut self) {
        self.0.state().ended = true;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use core::future::{Ready, pending, ready};
    use core::task::Context;
    use std::task::Wake;
    use std::thread::Thread;

    use super::*;

    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            thread::park();
        }
    }

    #[test]
    fn a_scenario_that_hangs_fails_with_the_reason() {
        let ended = block_on(with_watchdog(Duration::from_millis(10), pending()));
        let Err(Failed::Wrong(what)) = ended else { panic!("{ended:?}") };
        assert!(what.contains("a sleep was lost"), "{what}");
    }

    #[test]
    fn a_scenario_that_ends_is_not_affected() {
        let done: Ready<TestResult> = ready(Ok(()));
        assert!(block_on(with_watchdog(Duration::MAX, done)).is_ok());
    }
}
