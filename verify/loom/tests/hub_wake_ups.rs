//! A task that waits for a hub is woken.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream as _;
use heartbeat_loom::{
    Config, Interleavings, OnHub, Peer, Room, Stream, begun, every, next, on_hub, run, sink, spawn,
};

fn every_secs(secs: u64) -> Config {
    Config::every(Duration::from_secs(secs)).with_seed(1)
}

/// Notes the next item of a stream, when it comes.
async fn beats(mut stream: Stream, peer: Peer) {
    peer.note(next(&mut stream).await);
}

/// A stream asks while the task looks for the first time, or goes on to wait.
#[test]
fn a_stream_that_asks_as_the_task_begins_is_woken() {
    let ends = Interleavings::up_to(2).of(|| {
        let on_hub = on_hub(1);
        let stream = beats(on_hub.quiet(every()), on_hub.peer.clone());
        let OnHub { hub, task, clock, peer } = on_hub;
        drop(hub);
        let (stream, task) = (spawn(stream), spawn(task));
        clock.set(10);
        stream.join().unwrap();
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["beat"]]);
}

/// Another stream waits, for an instant that is earlier or later, on the same shard or on another.
#[test]
fn a_stream_that_asks_while_the_task_looks_is_woken() {
    for (shards, other) in [(1, 5), (2, 60)] {
        let ends = Interleavings::up_to(2).of(move || {
            let on_hub = on_hub(shards);
            let mut other = on_hub.quiet(every_secs(other));
            let other = begun(async move { next(&mut other).await });
            let stream = beats(on_hub.quiet(every()), on_hub.peer.clone());
            let OnHub { hub, task, clock, peer } = on_hub;
            drop(hub);
            let task = spawn(begun(task));
            clock.set(5);
            let stream = spawn(stream);
            clock.set(10);
            stream.join().unwrap();
            drop(other);
            task.join().unwrap();
            peer.log(&clock)
        });
        assert_eq!(ends, [["beat"]]);
    }
}

/// Both ask at once, and the earlier one must not wait for the later one's alarm.
#[test]
fn of_two_that_ask_at_once_the_earlier_is_woken_first() {
    for shards in [1, 2] {
        let ends = Interleavings::up_to(2).of(move || {
            let on_hub = on_hub(shards);
            let earlier = beats(on_hub.quiet(every()), on_hub.peer.clone());
            let mut later = on_hub.quiet(every_secs(20));
            let OnHub { hub, task, clock, peer } = on_hub;
            drop(hub);
            let (task, earlier) = (spawn(begun(task)), spawn(earlier));
            let later = begun(async move { next(&mut later).await });
            clock.set(10);
            earlier.join().unwrap();
            drop(later);
            task.join().unwrap();
            peer.log(&clock)
        });
        assert_eq!(ends, [["beat"]]);
    }
}

#[test]
fn whoever_polled_last_is_woken() {
    let ends = Interleavings::up_to(2).of(|| {
        let on_hub = on_hub(1);
        let stream = begun(beats(on_hub.quiet(every()), on_hub.peer.clone()));
        let OnHub { hub, task, clock, peer } = on_hub;
        drop(hub);
        let (task, stream) = (spawn(begun(task)), spawn(stream));
        clock.set(10);
        stream.join().unwrap();
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["beat"]]);
}

/// An item has moved the deadline away, of which the hub hears when it names the stream.
#[test]
fn a_stream_whose_item_has_moved_the_deadline_is_woken_for_the_next_one() {
    let ends = Interleavings::up_to(1).of(|| {
        let on_hub = on_hub(1);
        let mut stream = on_hub.unobserved(&[None, Some("real")], every());
        let OnHub { hub, task, clock, peer } = on_hub;
        drop(hub);
        clock.set(5);
        let (task, log) = (spawn(begun(task)), peer.clone());
        let stream = spawn(async move {
            polls_in_vain(&mut stream).await;
            log.note("waits");
            log.note(next(&mut stream).await);
            polls_in_vain(&mut stream).await;
            log.note("back");
            log.note(next(&mut stream).await);
        });
        run(peer.sees("waits"));
        clock.set(10);
        run(peer.sees("back"));
        peer.note("15");
        clock.set(15);
        peer.note("20");
        clock.set(20);
        stream.join().unwrap();
        task.join().unwrap();
        peer.log(&clock)
    });
    let at_15_or_20 = [["15", "20", "beat"], ["15", "beat", "20"]]
        .map(|then| [["waits", "real", "back"], then].concat());
    assert_eq!(ends, at_15_or_20);
}

/// Polls once, by the waker of the task.
async fn polls_in_vain(stream: &mut Stream) {
    poll_fn(|cx| {
        let polled = stream.as_mut().poll_next(cx);
        assert!(polled.is_pending(), "{polled:?}");
        Poll::Ready(())
    })
    .await;
}

#[test]
fn a_driver_beats_when_the_hub_wakes_it() {
    let ends = Interleavings::up_to(2).of(|| {
        let OnHub { hub, task, clock, .. } = on_hub(1);
        let (sender, driver, peer) = sink(Room::Open, hub, every());
        let (mut driver, task, time) = (Box::pin(driver), begun(task), clock.clone());
        let task = spawn(async move {
            time.set(10);
            task.await;
        });
        let mut received = Box::pin(peer.receives("beat"));
        run(poll_fn(|cx| {
            assert!(driver.as_mut().poll(cx).is_pending());
            received.as_mut().poll(cx)
        }));
        drop((sender, driver, received));
        task.join().unwrap();
        peer.log(&clock)
    });
    assert_eq!(ends, [["beat"]]);
}
