//! `Sender` and `Driver` with sinks and wakers that the conformance suite does not have: they block, panic, or call the
//! sender.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::Sink;
use futures_util::future::join;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{Counters, Sender, Timer, heartbeat_sink};

use crate::secs;

/// A sink that blocks its thread for 25 s with the first item, and records when it accepted each.
struct Slow(VirtualTime, Arc<Mutex<Vec<Duration>>>);

impl Sink<&'static str> for Slow {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, _: &'static str) -> Result<(), Infallible> {
        let mut accepted = self.1.lock().unwrap();
        if accepted.is_empty() {
            self.0.advance(secs(25));
        }
        accepted.push(self.0.now());
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn t5_a_slow_heartbeat_is_not_followed_by_a_second_one() {
    let (time, accepted) = (VirtualTime::new(), Arc::default());
    let slow = Slow(time.clone(), Arc::clone(&accepted));
    let (sender, driver) = heartbeat_sink(slow, time.clone(), secs(10), || "heartbeat");
    let events = async {
        time.sleep_until(secs(50)).await;
        drop(sender);
    };
    time.block_on(join(driver, events)).0.unwrap();
    assert_eq!(*accepted.lock().unwrap(), [secs(35), secs(45)]);
}

/// A sink that panics once.
struct Panics(bool);

impl Sink<&'static str> for Panics {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, _: &'static str) -> Result<(), Infallible> {
        assert!(!std::mem::take(&mut self.0), "the sink panics");
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn t18_a_sink_that_panics_blocks_no_other_sender() {
    let time = VirtualTime::new();
    let (sender, driver) = heartbeat_sink(Panics(true), time.clone(), secs(10), || "heartbeat");
    let panicked = catch_unwind(AssertUnwindSafe(|| time.block_on(sender.send("lost"))));
    assert!(panicked.is_err());
    let sent = async {
        sender.send("event").await.unwrap();
        drop(sender);
    };
    time.block_on(join(driver, sent)).0.unwrap();
}

/// A waker that sends when it is woken, as an executor may that polls within `wake`.
struct SendsAtOnce(Sender<&'static str, NeverReady, fn() -> &'static str, VirtualTime>);

impl Wake for SendsAtOnce {
    fn wake(self: Arc<Self>) {
        let sent = pin!(self.0.send("again")).poll(&mut Context::from_waker(Waker::noop()));
        assert!(sent.is_pending());
    }
}

/// A sink that is never ready, and wakes the task that polls it.
struct NeverReady;

impl Sink<&'static str> for NeverReady {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn start_send(self: Pin<&mut Self>, _: &'static str) -> Result<(), Infallible> {
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn t18_a_waker_may_use_the_sender() {
    let time = VirtualTime::new();
    let make: fn() -> &'static str = || "heartbeat";
    let (sender, driver) = heartbeat_sink(NeverReady, time, secs(10), make);
    let waker = Waker::from(Arc::new(SendsAtOnce(sender.clone())));
    let mut cx = Context::from_waker(&waker);
    let mut driver = pin!(driver);
    assert!(driver.as_mut().poll(&mut cx).is_pending());
    assert!(pin!(sender.send("event")).poll(&mut cx).is_pending());
    assert!(driver.poll(&mut cx).is_pending());
}

/// A sink that has no room for an item, and nothing to flush.
struct Full;

impl Sink<&'static str> for Full {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn start_send(self: Pin<&mut Self>, _: &'static str) -> Result<(), Infallible> {
        unreachable!("it is never ready")
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn t9_t19_stop_cancels_a_heartbeat_that_waits_for_a_full_sink() {
    let (time, counters) = (VirtualTime::new(), Counters::new());
    let (sender, driver) = heartbeat_sink(Full, time.clone(), secs(10), || "heartbeat");
    let stopped = async {
        time.sleep_until(secs(15)).await;
        sender.stop().await;
    };
    let (ended, ()) = time.block_on(join(driver.with_observer(&counters), stopped));
    ended.unwrap();
    let counts = counters.snapshot();
    assert_eq!((counts.cancelled, counts.sent, counts.errors), (1, 0, 0));
}
