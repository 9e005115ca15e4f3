use core::future::{Future, poll_fn};
use core::mem;
use core::pin::pin;
use core::task::{Poll, Waker};
use core::time::Duration;
use std::format;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::stage::{Trouble, Verdict};

/// Plays the scenario, but ends it if it was not polled for that long in real time, or twice that: an
/// alarm was lost, and since alarms are all that it waits for it would wait for ever.
pub(super) async fn with(limit: Duration, scenario: impl Future<Output = Verdict>) -> Verdict {
    let watched = Watched(Arc::default());
    let guard = Arc::clone(&watched.0);
    thread::spawn(move || guard.wait(limit));
    let mut scenario = pin!(scenario);
    poll_fn(|cx| {
        let mut state = watched.0.state();
        if state.lost {
            let what = format!("nothing has woken the scenario for {limit:?}: an alarm was lost");
            return Poll::Ready(Err(Trouble::Wrong(what)));
        }
        state.polled = true;
        state.waker = Some(cx.waker().clone());
        drop(state);
        scenario.as_mut().poll(cx)
    })
    .await
}

/// What the scenario and its guard know of each other.
#[derive(Default)]
struct Guard {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The scenario was polled since the guard looked last.
    polled: bool,
    waker: Option<Waker>,
    ended: bool,
    lost: bool,
}

impl Guard {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when the scenario has ended, or was woken by this.
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

/// Tells the guard of the scenario's end, however it ends.
struct Watched(Arc<Guard>);

impl Drop for Watched {
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
    fn a_scenario_that_nothing_wakes_is_ended_and_says_why() {
        let ended = block_on(with(Duration::from_millis(10), pending()));
        let Err(Trouble::Wrong(what)) = ended else { panic!("{ended:?}") };
        assert!(what.contains("an alarm was lost"), "{what}");
    }

    #[test]
    fn a_scenario_that_ends_is_left_alone() {
        let done: Ready<Verdict> = ready(Ok(()));
        assert!(block_on(with(Duration::MAX, done)).is_ok());
    }
}
