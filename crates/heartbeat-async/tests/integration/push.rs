//! `Sender` and `Driver` with sinks and wakers that the conformance suite does not have: they block, panic, or call the
//! sender.

use std::cell::RefCell;
use std::convert::Infallible;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;

use futures_util::Sink;
use futures_util::future::join;
use heartbeat_async::virtual_time::{VirtualSleep, VirtualTime};
use heartbeat_async::{Config, Counters, DriverError, HubError, Sender, Timer, heartbeat_sink};
use tokio_test::task::{Spawn, spawn};
use tokio_test::{assert_pending, assert_ready, assert_ready_eq};

use crate::secs;

/// A sink that is always ready, and calls a function with each item.
struct OnItem<F>(F);

impl<F: FnMut() + Unpin> Sink<&'static str> for OnItem<F> {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, _: &'static str) -> Result<(), Infallible> {
        (self.0)();
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
    let (time, accepted) = (VirtualTime::new(), RefCell::new(Vec::new()));
    // It blocks its thread for 25 s with the first item.
    let slow = OnItem(|| {
        let mut accepted = accepted.borrow_mut();
        if accepted.is_empty() {
            time.advance(secs(25));
        }
        accepted.push(time.now());
    });
    let (sender, driver) = heartbeat_sink(slow, time.clone(), secs(10), || "heartbeat");
    let events = async {
        time.sleep_until(secs(50)).await;
        drop(sender);
    };
    time.block_on(join(driver, events)).0.unwrap();
    assert_eq!(*accepted.borrow(), [secs(35), secs(45)]);
}

#[test]
fn t18_a_sink_that_panics_blocks_no_other_sender() {
    let time = VirtualTime::new();
    let mut panics = true;
    let sink = OnItem(move || assert!(!std::mem::take(&mut panics), "the sink panics"));
    let (sender, driver) = heartbeat_sink(sink, time.clone(), secs(10), || "heartbeat");
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
fn t18_a_heartbeat_that_waits_does_not_delay_the_end() {
    let time = VirtualTime::new();
    let (sender, driver) = heartbeat_sink(Full, time.clone(), secs(10), || "heartbeat");
    let dropped = async {
        time.sleep_until(secs(25)).await;
        drop(sender);
    };
    time.block_on(join(driver, dropped)).0.unwrap();
    assert_eq!(time.now(), secs(25));
}

/// A sink whose peer begins to read at an instant, which flushes what the sink has accepted.
struct Unread {
    read: Option<Pin<Box<VirtualSleep>>>,
    is_flushed: bool,
}

impl Unread {
    fn until(time: &VirtualTime, at: Duration) -> Self {
        Self { read: Some(Box::pin(time.sleep_until(at))), is_flushed: true }
    }
}

impl Sink<&'static str> for Unread {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, _: &'static str) -> Result<(), Infallible> {
        self.is_flushed = self.read.is_none();
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if !self.is_flushed {
            if let Some(read) = &mut self.read {
                ready!(read.as_mut().poll(cx));
            }
            (self.read, self.is_flushed) = (None, true);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.poll_flush(cx)
    }
}

#[test]
fn t18_a_flush_waits_for_the_sink() {
    let time = VirtualTime::new();
    let unread = Unread::until(&time, secs(5));
    let (sender, _driver) = heartbeat_sink(unread, time.clone(), secs(10), || "heartbeat");
    time.block_on(async {
        sender.feed("event").await.unwrap();
        assert_eq!(time.now(), Duration::ZERO);
        sender.flush().await.unwrap();
        assert_eq!(time.now(), secs(5));
    });
}

#[test]
fn t18_a_sender_that_is_polled_too_early_waits_for_its_turn() {
    let time = VirtualTime::new();
    let unread = Unread::until(&time, secs(5));
    let (sender, _driver) = heartbeat_sink(unread, time.clone(), secs(10), || "heartbeat");
    let (mut first, mut second) = (spawn(sender.send("first")), spawn(sender.send("second")));
    assert_pending!(first.poll()); // it is flushed at 5 s
    assert_pending!(second.poll());
    assert_pending!(second.poll());
    time.advance(secs(5));
    assert_pending!(second.poll());
    assert_ready_eq!(first.poll(), Ok(()));
    assert!(second.is_woken());
    assert_ready_eq!(second.poll(), Ok(()));
}

/// The item that is sent meanwhile leaves with the others when the flush is done.
#[test]
fn t6_t18_the_silence_begins_at_the_end_of_a_flush_though_an_item_was_sent_meanwhile() {
    let (time, counters) = (VirtualTime::new(), Counters::new());
    let unread = Unread::until(&time, secs(5));
    let (sender, driver) = heartbeat_sink(unread, time.clone(), secs(10), || "heartbeat");
    let mut driver = spawn(driver.with_observer(&counters));
    assert_ready_eq!(spawn(sender.feed("event")).poll(), Ok(()));
    assert_pending!(driver.poll()); // it begins the flush
    time.advance(secs(3));
    assert_ready_eq!(spawn(sender.feed("event")).poll(), Ok(()));
    time.advance(secs(2));
    for (now, sent) in [(5, 0), (14, 0), (15, 1)] {
        time.advance(secs(now).saturating_sub(time.now()));
        assert_pending!(driver.poll());
        assert_eq!(counters.snapshot().sent, sent, "at {now} s");
    }
}

/// A sink that accepts one item, fails when the next one comes, and works again then.
#[derive(Default)]
struct FailsOnce {
    calls: u32,
}

impl Sink<&'static str> for FailsOnce {
    type Error = &'static str;

    fn poll_ready(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.calls += 1;
        Poll::Ready(if self.calls == 2 { Err("failed") } else { Ok(()) })
    }

    fn start_send(self: Pin<&mut Self>, _: &'static str) -> Result<(), &'static str> {
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        if self.calls == 1 { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.poll_flush(cx)
    }
}

#[test]
fn t19_a_heartbeat_is_lost_if_the_sink_fails_with_the_next_item() {
    let (time, counters) = (VirtualTime::new(), Counters::new());
    let (sender, driver) =
        heartbeat_sink(FailsOnce::default(), time.clone(), secs(10), || "heartbeat");
    let events = async {
        time.sleep_until(secs(11)).await; // a heartbeat waits for its flush
        assert_eq!(sender.send("event").await, Err("failed"));
        drop(sender);
    };
    time.block_on(join(driver.with_observer(&counters), events)).0.unwrap();
    let counts = counters.snapshot();
    assert_eq!((counts.sent, counts.errors, counts.live), (0, 1, 0));
}

#[test]
fn t9_stop_waits_for_a_driver_that_sends() {
    type Stop = Spawn<Pin<Box<dyn Future<Output = ()>>>>;
    let time = VirtualTime::new();
    let stop = Rc::new(RefCell::new(None::<Stop>));
    let while_sending = Rc::clone(&stop);
    let sink = OnItem(move || {
        assert_pending!(while_sending.borrow_mut().as_mut().expect("it was set").poll());
    });
    let (sender, driver) = heartbeat_sink(sink, time.clone(), secs(10), || "heartbeat");
    let mut driver = spawn(driver);
    *stop.borrow_mut() = Some(spawn(Box::pin(async move { sender.stop().await })));
    assert_pending!(driver.poll());
    time.advance(secs(10));
    _ = driver.poll();
    let mut stop = stop.take().expect("it was set");
    assert!(stop.is_woken());
    assert_ready!(stop.poll());
    assert_ready_eq!(driver.poll(), Ok(()));
}

#[test]
fn an_error_of_a_driver_has_its_cause_as_the_source() {
    let failed = DriverError::Transport(std::fmt::Error);
    assert_eq!(failed.source().and_then(<dyn Error>::downcast_ref), Some(&std::fmt::Error));
    let stopped = DriverError::<Infallible>::Hub(HubError::Stopped);
    assert_eq!(stopped.source().and_then(<dyn Error>::downcast_ref), Some(&HubError::Stopped));
    assert!(DriverError::<Infallible>::Stalled.source().is_none());
}

/// How the driver ends whose peer reads at `read_at`, and when. The last sender is dropped at 20 s.
fn last_flush(
    config: Config,
    read_at: Duration,
) -> (Result<(), DriverError<Infallible>>, Duration) {
    let time = VirtualTime::new();
    let sink = Unread::until(&time, read_at);
    let (sender, driver) = heartbeat_sink(sink, time.clone(), config, || "heartbeat");
    let events = async {
        sender.feed("event").await.unwrap();
        time.sleep_until(secs(20)).await;
        drop(sender);
    };
    (time.block_on(join(driver, events)).0, time.now())
}

#[test]
fn t18_the_driver_ends_though_the_peer_reads_nothing() {
    for (interval, limit) in [(0, 15), (10, 15), (15, 15), (60, 60)] {
        let config = Config::every(secs(interval));
        let (in_time, end) = (secs(19 + limit), secs(20 + limit));
        assert_eq!(last_flush(config, in_time), (Ok(()), in_time));
        assert_eq!(last_flush(config, end + secs(1)), (Err(DriverError::Stalled), end));
    }
    let config = Config::every(secs(60)).with_stall_after(secs(5));
    assert_eq!(last_flush(config, secs(26)), (Err(DriverError::Stalled), secs(25)));
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
