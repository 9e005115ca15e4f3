//! A hub, its streams and its task may be dropped at any time, and the rest is notified.

use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_core::Stream as _;
use heartbeat_loom::{
    Counters, DriverError, HubError, Interleavings, Observed, OnHub, Room, Stream, begun, every,
    next, on_hub, poll_times, run, sink, spawn,
};

#[test]
fn the_task_ends_when_the_last_two_handles_are_dropped_at_once() {
    for shards in [1, 2] {
        let ends = Interleavings::up_to(3).of(move || {
            let OnHub { hub, task, clock, peer } = on_hub(shards);
            let (task, other) = (spawn(task), hub.clone());
            let dropped = spawn(async move { drop(other) });
            drop(hub);
            dropped.join().unwrap();
            task.join().unwrap();
            peer.log(&clock)
        });
        assert_eq!(ends, [[""; 0]]);
    }
}

#[test]
fn the_task_ends_when_the_last_stream_is_dropped_as_its_time_comes() {
    let ends = Interleavings::up_to(4).of(|| {
        let on_hub = on_hub(1);
        let mut stream = on_hub.quiet(every());
        let stream = begun(async move { next(&mut stream).await });
        let OnHub { hub, task, clock, peer } = on_hub;
        drop(hub);
        let task = spawn(begun(task));
        clock.set(10);
        drop(stream);
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [[""; 0]]);
}

#[test]
fn a_stream_that_is_dropped_as_its_time_comes_takes_no_other_with_it() {
    let ends = Interleavings::up_to(3).of(|| {
        let on_hub = on_hub(1);
        let mut dropped = on_hub.quiet(every());
        let dropped = begun(async move { next(&mut dropped).await });
        let mut stream = on_hub.quiet(every());
        let OnHub { hub, task, clock, peer } = on_hub;
        let task = spawn(begun(task));
        clock.set(10);
        drop(dropped);
        peer.note(run(next(&mut stream)));
        drop(stream);
        assert!(hub.is_empty() && hub.is_running());
        drop(hub);
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["beat"]]);
}

/// A waker that holds a stream, as that of a task does which was ended and has not been dropped.
struct Holds {
    _stream: Mutex<Stream>,
}

impl Wake for Holds {
    fn wake(self: Arc<Self>) {}
}

/// The waker of a stream may be the last that holds another one of the same shard.
#[test]
fn who_is_dropped_with_a_waker_may_be_a_stream_itself() {
    let ends = Interleavings::up_to(4).of(|| {
        let on_hub = on_hub(1);
        let mut stream = on_hub.quiet(every());
        let held = Waker::from(Arc::new(Holds { _stream: Mutex::new(on_hub.quiet(every())) }));
        let polled = stream.as_mut().poll_next(&mut Context::from_waker(&held));
        assert!(polled.is_pending());
        drop(held);
        let OnHub { hub, task, clock, peer } = on_hub;
        let task = spawn(begun(task));
        clock.set(10);
        drop(stream);
        peer.note(if hub.is_empty() { "all are gone" } else { "one is left" });
        drop(hub);
        task.join().unwrap();
        peer.log(&clock)
    });
    // While the task has the waker to wake it, it is not the last.
    assert_eq!(ends, [["all are gone"], ["one is left"]]);
}

/// Polls a stream until it hears that the hub has stopped.
async fn hears_that_it_stopped(mut stream: Stream<Observed<Arc<Counters>>>, heard: Arc<Counters>) {
    poll_fn(|cx| {
        let polled = stream.as_mut().poll_next(cx);
        assert!(polled.is_pending(), "{polled:?}");
        if heard.snapshot().detached == 1 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[test]
fn a_stream_that_asks_hears_that_the_task_was_dropped() {
    for polls in 0..=2 {
        let ends = Interleavings::up_to(4).of(move || {
            let on_hub = on_hub(1);
            let heard = Arc::new(Counters::new());
            let stream = on_hub.open(&[], every(), Arc::clone(&heard));
            let OnHub { hub, task, clock, peer } = on_hub;
            let stream = spawn(hears_that_it_stopped(stream, heard));
            assert_eq!(poll_times(polls, task), None);
            assert!(!hub.is_running());
            stream.join().unwrap();
            drop(hub);
            peer.log(&clock)
        });
        assert_eq!(ends, [[""; 0]]);
    }
}

#[test]
fn a_driver_that_asks_hears_that_the_task_was_dropped() {
    let ends = Interleavings::up_to(4).of(|| {
        let OnHub { hub, task, clock, .. } = on_hub(1);
        let (sender, driver, peer) = sink(Room::Open, hub, every());
        let driver = spawn(driver);
        drop(task);
        assert_eq!(driver.join().unwrap(), Err(DriverError::Hub(HubError::Stopped)));
        run(sender.send("real")).unwrap();
        drop(sender);
        peer.log(&clock)
    });
    assert_eq!(ends, [["real"]]);
}

#[test]
fn streams_and_task_may_be_dropped_at_once() {
    let ends = Interleavings::up_to(4).of(|| {
        let on_hub = on_hub(1);
        let mut stream = on_hub.quiet(every());
        let stream = begun(async move { next(&mut stream).await });
        let OnHub { hub, task, clock, peer } = on_hub;
        let dropped = spawn(async move { drop(stream) });
        drop(task);
        dropped.join().unwrap();
        assert!(hub.is_empty());
        drop(hub);
        peer.log(&clock)
    });
    assert_eq!(ends, [[""; 0]]);
}

/// Who has taken a heartbeat comes back as the task sees that it was away for too long (T20).
#[test]
fn a_consumer_is_back_in_time_or_is_told_of() {
    let ends = Interleavings::up_to(1).of(|| {
        let on_hub = on_hub(1);
        let heard = Arc::new(Counters::new());
        let config = every().with_immediate_first(true).with_stall_after(Duration::from_secs(5));
        let mut stream = on_hub.open(&[], config, Arc::clone(&heard));
        let OnHub { hub, task, clock, peer } = on_hub;
        drop(hub);
        assert_eq!(run(next(&mut stream)), "beat");
        let (task, log) = (spawn(begun(task)), peer.clone());
        let stream = spawn(async move {
            let mut is_back = false;
            let seen = poll_fn(|cx| {
                let polled = stream.as_mut().poll_next(cx);
                if !mem::replace(&mut is_back, true) {
                    log.note("back");
                }
                if heard.snapshot().stalled == 1 { Poll::Ready(Some("stalled")) } else { polled }
            });
            log.note(seen.await.expect("it has no end"));
        });
        clock.set(6);
        run(peer.sees("back"));
        clock.set(16);
        stream.join().unwrap();
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["back", "beat"], ["back", "stalled"]]);
}
