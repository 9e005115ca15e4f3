//! A hub, its streams and its task may be dropped at any time, and the rest is notified.

use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_core::Stream as _;
use heartbeat_loom::{
    Capacity, Counters, DriverError, HubError, HubFixture, HubStream, Interleavings, Observed,
    every, next, on_hub, poll_times, polled_once, run, sink, spawn,
};

#[test]
fn the_task_ends_when_the_last_two_handles_are_dropped_at_once() {
    for shards in [1, 2] {
        let outcomes = Interleavings::up_to(3).of(move || {
            let HubFixture { hub, task, clock, peer } = on_hub(shards);
            let (task, other) = (spawn(task), hub.clone());
            let dropped = spawn(async move { drop(other) });
            drop(hub);
            dropped.join().unwrap();
            task.join().unwrap();
            peer.log(&clock)
        });
        assert_eq!(outcomes, [[""; 0]]);
    }
}

#[test]
fn the_task_ends_when_the_last_stream_is_dropped_at_its_deadline() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let on_hub = on_hub(1);
        let mut stream = on_hub.quiet(every());
        let stream = polled_once(async move { next(&mut stream).await });
        let HubFixture { hub, task, clock, peer } = on_hub;
        drop(hub);
        let task = spawn(polled_once(task));
        clock.set(10);
        drop(stream);
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [[""; 0]]);
}

#[test]
fn a_stream_that_is_dropped_at_its_deadline_affects_no_other() {
    let outcomes = Interleavings::up_to(3).of(|| {
        let on_hub = on_hub(1);
        let mut dropped = on_hub.quiet(every());
        let dropped = polled_once(async move { next(&mut dropped).await });
        let mut stream = on_hub.quiet(every());
        let HubFixture { hub, task, clock, peer } = on_hub;
        let task = spawn(polled_once(task));
        clock.set(10);
        drop(dropped);
        peer.note(run(next(&mut stream)));
        drop(stream);
        assert!(hub.is_empty() && hub.is_running());
        drop(hub);
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["heartbeat"]]);
}

/// A waker that owns a stream, as the waker of a task may.
struct Holds {
    _stream: Mutex<HubStream>,
}

impl Wake for Holds {
    fn wake(self: Arc<Self>) {}
}

/// The waker of a stream may own the last reference to a stream in the same shard.
#[test]
fn a_stream_may_be_dropped_with_a_waker() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let on_hub = on_hub(1);
        let mut stream = on_hub.quiet(every());
        let held = Waker::from(Arc::new(Holds { _stream: Mutex::new(on_hub.quiet(every())) }));
        let polled = stream.as_mut().poll_next(&mut Context::from_waker(&held));
        assert!(polled.is_pending());
        drop(held);
        let HubFixture { hub, task, clock, peer } = on_hub;
        let task = spawn(polled_once(task));
        clock.set(10);
        drop(stream);
        peer.note(if hub.is_empty() { "all are gone" } else { "one is left" });
        drop(hub);
        task.join().unwrap();
        peer.log(&clock)
    });
    // The task of the hub may have a clone of the waker.
    assert_eq!(outcomes, [["all are gone"], ["one is left"]]);
}

/// Polls a stream until it reports that the hub has stopped.
async fn wait_until_detached(
    mut stream: HubStream<Observed<Arc<Counters>>>,
    counters: Arc<Counters>,
) {
    poll_fn(|cx| {
        let polled = stream.as_mut().poll_next(cx);
        assert!(polled.is_pending(), "{polled:?}");
        if counters.snapshot().detached == 1 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[test]
fn a_stream_that_is_polled_is_notified_of_a_dropped_task() {
    for polls in 0..=2 {
        let outcomes = Interleavings::up_to(4).of(move || {
            let on_hub = on_hub(1);
            let counters = Arc::new(Counters::new());
            let stream = on_hub.open(&[], every(), Arc::clone(&counters));
            let HubFixture { hub, task, clock, peer } = on_hub;
            let stream = spawn(wait_until_detached(stream, counters));
            assert_eq!(poll_times(polls, task), None);
            assert!(!hub.is_running());
            stream.join().unwrap();
            drop(hub);
            peer.log(&clock)
        });
        assert_eq!(outcomes, [[""; 0]]);
    }
}

#[test]
fn a_driver_that_is_polled_is_notified_of_a_dropped_task() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let HubFixture { hub, task, clock, .. } = on_hub(1);
        let (sender, driver, peer) = sink(Capacity::Open, hub, every());
        let driver = spawn(driver);
        drop(task);
        assert_eq!(driver.join().unwrap(), Err(DriverError::Hub(HubError::Stopped)));
        run(sender.send("event")).unwrap();
        drop(sender);
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["event"]]);
}

#[test]
fn streams_and_task_may_be_dropped_at_once() {
    let outcomes = Interleavings::up_to(4).of(|| {
        let on_hub = on_hub(1);
        let mut stream = on_hub.quiet(every());
        let stream = polled_once(async move { next(&mut stream).await });
        let HubFixture { hub, task, clock, peer } = on_hub;
        let dropped = spawn(async move { drop(stream) });
        drop(task);
        dropped.join().unwrap();
        assert!(hub.is_empty());
        drop(hub);
        peer.log(&clock)
    });
    assert_eq!(outcomes, [[""; 0]]);
}

/// A consumer polls again while the task detects that it was idle for too long (T20).
#[test]
fn a_consumer_polls_in_time_or_is_reported() {
    let outcomes = Interleavings::up_to(1).of(|| {
        let on_hub = on_hub(1);
        let counters = Arc::new(Counters::new());
        let config = every().with_immediate_first(true).with_stall_after(Duration::from_secs(5));
        let mut stream = on_hub.open(&[], config, Arc::clone(&counters));
        let HubFixture { hub, task, clock, peer } = on_hub;
        drop(hub);
        assert_eq!(run(next(&mut stream)), "heartbeat");
        let (task, log) = (spawn(polled_once(task)), peer.clone());
        let stream = spawn(async move {
            let mut has_polled = false;
            let seen = poll_fn(|cx| {
                let polled = stream.as_mut().poll_next(cx);
                if !mem::replace(&mut has_polled, true) {
                    log.note("polled");
                }
                if counters.snapshot().stalled == 1 { Poll::Ready(Some("stalled")) } else { polled }
            });
            log.note(seen.await.expect("the stream has no end"));
        });
        clock.set(6);
        run(peer.sees("polled"));
        clock.set(16);
        stream.join().unwrap();
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["polled", "heartbeat"], ["polled", "stalled"]]);
}
