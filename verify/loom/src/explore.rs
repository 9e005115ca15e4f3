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
#[must_use = "it runs nothing until it is told what"]
pub struct Interleavings {
    preemptions: usize,
}

impl Interleavings {
    /// All in which threads lose their turn at most that often before they wait or end. Waiting and
    /// ending are free.
    pub const fn up_to(preemptions: usize) -> Self {
        Self { preemptions }
    }

    /// Runs the model through each of them, and tells with what it ended, and how often with each.
    ///
    /// # Panics
    ///
    /// If there was only one: then there was no concurrency. And if the model does, or loom finds a
    /// deadlock or a leak in it.
    pub fn of<O: Ord + Debug + Send + 'static>(
        self,
        model: impl Fn() -> O + Send + Sync + 'static,
    ) -> Vec<O> {
        let mut builder = Builder::new();
        builder.preemption_bound = Some(self.preemptions);
        builder.max_branches = 10_000;

        let started = Instant::now();
        let ends = Arc::new(Mutex::new(BTreeMap::new()));
        let seen = Arc::clone(&ends);
        builder.check(move || {
            let end = model();
            *seen.lock().unwrap().entry(end).or_insert(0_u64) += 1;
        });
        let ends = Arc::into_inner(ends).unwrap().into_inner().unwrap();

        let interleavings: u64 = ends.values().sum();
        let name = std::thread::current().name().unwrap_or("a model").to_owned();
        let took = started.elapsed().as_secs_f64();
        println!(
            "{name}: {interleavings} interleavings of up to {} preemptions, {took:.1} s, {ends:?}",
            self.preemptions
        );
        assert!(interleavings > 1, "{name} has no concurrency");
        ends.into_keys().collect()
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

/// Polls a future once, so that it waits, and leaves it to be run on.
///
/// # Panics
///
/// If it does not wait.
pub fn begun<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "it does not wait");
    future
}

/// Polls a future that often at most, then drops it. Tells whether it came to its end.
pub fn poll_times<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    (0..times).find_map(|_| match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}
