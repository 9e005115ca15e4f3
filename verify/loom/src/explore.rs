//! How a model is run.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use loom::future::block_on;
use loom::model::Builder;
use loom::thread::{self, JoinHandle};

/// How a model is run through its interleavings.
#[derive(Debug, Clone, Copy)]
#[must_use = "it runs nothing without a model"]
pub struct Interleavings {
    preemptions: usize,
}

impl Interleavings {
    /// All interleavings in which loom suspends a running thread at most that often. Switches where a thread waits or
    /// ends are not counted.
    pub const fn up_to(preemptions: usize) -> Self {
        Self { preemptions }
    }

    /// Runs the model through each of them. Returns the outcomes of the model in their order, each once, and prints how
    /// often each occurred.
    ///
    /// # Panics
    ///
    /// If the model panics, if loom finds a deadlock or a leak in it, or if there was only one interleaving, since the
    /// model has no concurrency then.
    pub fn of<O: Ord + Debug + Send + 'static>(
        self,
        model: impl Fn() -> O + Send + Sync + 'static,
    ) -> Vec<O> {
        let mut builder = Builder::new();
        builder.preemption_bound = Some(self.preemptions);
        builder.max_branches = 10_000;

        let started = Instant::now();
        let outcomes = Arc::new(Mutex::new(BTreeMap::new()));
        let seen = Arc::clone(&outcomes);
        builder.check(move || {
            let outcome = model();
            *seen.lock().unwrap().entry(outcome).or_insert(0_u64) += 1;
        });
        let outcomes = Arc::into_inner(outcomes).unwrap().into_inner().unwrap();

        let interleavings: u64 = outcomes.values().sum();
        let name = std::thread::current().name().unwrap_or("a model").to_owned();
        let took = started.elapsed().as_secs_f64();
        println!(
            "{name}: {interleavings} interleavings of up to {} preemptions, {took:.1} s, {outcomes:?}",
            self.preemptions
        );
        assert!(interleavings > 1, "{name} has no concurrency");
        outcomes.into_keys().collect()
    }
}

/// Runs a future in a thread of its own.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
{
    thread::spawn(|| block_on(future))
}

/// Runs a future in this thread.
pub fn run<F: Future>(future: F) -> F::Output {
    block_on(future)
}

/// Polls a future once, and returns it for further polls.
///
/// # Panics
///
/// If the future is ready.
pub fn polled_once<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "the future is ready");
    future
}

/// Polls a future that often at most, then drops it. Returns its output if it became ready.
pub fn poll_times<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    (0..times).find_map(|_| match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}
