//! A task that waits for a hub is woken.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream as _;
use heartbeat_loom::{
    Capacity, Config, HubFixture, HubStream, Interleavings, SinkPeer, every, next, on_hub,
    polled_once, run, sink, spawn,
};

fn every_secs(secs: u64) -> Config {
    Config::every(Duration::from_secs(secs)).with_seed(1)
}

/// Records the next item of a stream.
async fn record_next(mut stream: HubStream, peer: SinkPeer) {
    peer.note(next(&mut stream).await);
}

/// A stream is polled while the task scans for the first time, or before it waits.
#[test]
fn a_stream_that_is_polled_as_the_task_begins_is_woken() {
    let outcomes = Interleavings::up_to(2).of(|| {
        let on_hub = on_hub(1);
        let stream = record_next(on_hub.quiet(every()), on_hub.peer.clone());
        let HubFixture { hub, task, clock, peer } = on_hub;
        drop(hub);
        let (stream, task) = (spawn(stream), spawn(task));
        clock.set(10);
        stream.join().unwrap();
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["heartbeat"]]);
}

/// Another stream waits for an earlier or a later instant, on the same shard or on another.
#[test]
fn a_stream_that_is_polled_during_a_scan_is_woken() {
    for (shards, other) in [(1, 5), (2, 60)] {
        let outcomes = Interleavings::up_to(2).of(move || {
            let on_hub = on_hub(shards);
            let mut other = on_hub.quiet(every_secs(other));
            let other = polled_once(async move { next(&mut other).await });
            let stream = record_next(on_hub.quiet(every()), on_hub.peer.clone());
            let HubFixture { hub, task, clock, peer } = on_hub;
            drop(hub);
            let task = spawn(polled_once(task));
            clock.set(5);
            let stream = spawn(stream);
            clock.set(10);
            stream.join().unwrap();
            drop(other);
            task.join().unwrap();
            peer.log(&clock)
        });
        assert_eq!(outcomes, [["heartbeat"]]);
    }
}

/// Two streams are polled at once, and the sleep must end at the earlier deadline.
#[test]
fn of_two_streams_the_earlier_is_woken_first() {
    for shards in [1, 2] {
        let outcomes = Interleavings::up_to(2).of(move || {
            let on_hub = on_hub(shards);
            let earlier = record_next(on_hub.quiet(every()), on_hub.peer.clone());
            let mut later = on_hub.quiet(every_secs(20));
            let HubFixture { hub, task, clock, peer } = on_hub;
            drop(hub);
            let (task, earlier) = (spawn(polled_once(task)), spawn(earlier));
            let later = polled_once(async move { next(&mut later).await });
            clock.set(10);
            earlier.join().unwrap();
            drop(later);
            task.join().unwrap();
            peer.log(&clock)
        });
        assert_eq!(outcomes, [["heartbeat"]]);
    }
}

#[test]
fn the_last_waker_is_woken() {
    let outcomes = Interleavings::up_to(2).of(|| {
        let on_hub = on_hub(1);
        let stream = polled_once(record_next(on_hub.quiet(every()), on_hub.peer.clone()));
        let HubFixture { hub, task, clock, peer } = on_hub;
        drop(hub);
        let (task, stream) = (spawn(polled_once(task)), spawn(stream));
        clock.set(10);
        stream.join().unwrap();
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["heartbeat"]]);
}

/// An item has moved the deadline. It is reported to the hub when the stream is due at its old deadline.
#[test]
fn a_stream_whose_deadline_an_item_moved_is_woken_at_the_new_one() {
    let outcomes = Interleavings::up_to(1).of(|| {
        let on_hub = on_hub(1);
        let mut stream = on_hub.unobserved(&[None, Some("event")], every());
        let HubFixture { hub, task, clock, peer } = on_hub;
        drop(hub);
        clock.set(5);
        let (task, log) = (spawn(polled_once(task)), peer.clone());
        let stream = spawn(async move {
            assert_pending(&mut stream).await;
            log.note("waits");
            log.note(next(&mut stream).await);
            assert_pending(&mut stream).await;
            log.note("polled");
            log.note(next(&mut stream).await);
        });
        run(peer.sees("waits"));
        clock.set(10);
        run(peer.sees("polled"));
        peer.note("15");
        clock.set(15);
        peer.note("20");
        clock.set(20);
        stream.join().unwrap();
        task.join().unwrap();
        peer.log(&clock)
    });
    let at_15_or_20 = [["15", "20", "heartbeat"], ["15", "heartbeat", "20"]]
        .map(|then| [["waits", "event", "polled"], then].concat());
    assert_eq!(outcomes, at_15_or_20);
}

/// Polls once with the waker of the task, and expects no item.
async fn assert_pending(stream: &mut HubStream) {
    poll_fn(|cx| {
        let polled = stream.as_mut().poll_next(cx);
        assert!(polled.is_pending(), "{polled:?}");
        Poll::Ready(())
    })
    .await;
}

#[test]
fn a_driver_sends_a_heartbeat_when_the_hub_wakes_it() {
    let outcomes = Interleavings::up_to(2).of(|| {
        let HubFixture { hub, task, clock, .. } = on_hub(1);
        let (sender, driver, peer) = sink(Capacity::Open, hub, every());
        let (mut driver, task, time) = (Box::pin(driver), polled_once(task), clock.clone());
        let task = spawn(async move {
            time.set(10);
            task.await;
        });
        let mut received = Box::pin(peer.receives("heartbeat"));
        run(poll_fn(|cx| {
            assert!(driver.as_mut().poll(cx).is_pending());
            received.as_mut().poll(cx)
        }));
        drop((sender, driver, received));
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(outcomes, [["heartbeat"]]);
}
