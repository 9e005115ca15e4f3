//! T19: what real streams and drivers tell in virtual time, read from the metrics that were exported.

#![expect(clippy::float_cmp, reason = "counts and whole seconds are exact")]

mod support;

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{join, join3};
use futures_util::{FutureExt, StreamExt, stream};
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{
    Config, DriverError, HeartbeatStreamExt, Hub, MakeHeartbeat, Observer, Timer, heartbeat_sink,
};
use heartbeat_otel::OtelObserver;
use opentelemetry::KeyValue;
use static_assertions::assert_impl_all;
use support::Recording;
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

const INTERVAL: Duration = Duration::from_secs(15);

/// A heartbeat of 24 bytes.
struct Measured;

impl MakeHeartbeat<&'static str> for Measured {
    fn make(&mut self) -> &'static str {
        "beat"
    }

    fn encoded_len(&mut self, _: &&'static str) -> Option<usize> {
        Some(24)
    }
}

/// What there is from the start.
const ZEROS: [(&str, f64); 9] = [
    ("heartbeat.beats{outcome=error}", 0.0),
    ("heartbeat.beats{outcome=sent}", 0.0),
    ("heartbeat.give_ups", 0.0),
    ("heartbeat.silence.max", 0.0),
    ("heartbeat.stalls", 0.0),
    ("heartbeat.abandonments", 0.0),
    ("heartbeat.stream.active", 0.0),
    ("heartbeat.traffic", 0.0),
    ("heartbeat.withdrawals", 0.0),
];

/// What there is from the start, but for these.
fn zeros_but(others: &[(&str, f64)]) -> BTreeMap<String, f64> {
    let both = ZEROS.iter().chain(others);
    both.map(|(series, value)| ((*series).to_owned(), *value)).collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn everything_begins_at_zero_but_the_lateness_which_begins_with_a_heartbeat() {
    let recording = Recording::new();
    let observer = OtelObserver::new(&recording.meter());
    assert_eq!(recording.values(), zeros_but(&[]));
    drop(observer);
    assert_eq!(recording.values(), zeros_but(&[]), "and outlives the observer");
}

#[test]
fn a_stream_tells_what_was_sent_how_late_how_large_and_after_what_silence() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let observer = OtelObserver::new(&recording.meter());
    let quiet =
        stream::pending().heartbeat(time.clone(), INTERVAL, Measured).with_observer(observer);
    let mut quiet = Box::pin(quiet);

    assert_eq!(quiet.next().now_or_never(), None);
    assert_eq!(recording.values(), zeros_but(&[("heartbeat.stream.active", 1.0)]));

    time.advance(seconds(15));
    assert_eq!(quiet.next().now_or_never(), Some(Some("beat")), "in flight");
    assert_eq!(quiet.next().now_or_never(), None, "and out");
    time.advance(seconds(19)); // 4 s too many
    assert_eq!(quiet.next().now_or_never(), Some(Some("beat")));
    assert_eq!(quiet.next().now_or_never(), None);
    let two_out = [
        ("heartbeat.beats{outcome=sent}", 2.0),
        ("heartbeat.lateness.count", 2.0),
        ("heartbeat.lateness.sum", 4.0),
        ("heartbeat.silence.max", 19.0),
        ("heartbeat.stream.active", 1.0),
        ("heartbeat.traffic", 48.0),
    ];
    assert_eq!(recording.values(), zeros_but(&two_out));

    time.advance(seconds(15));
    assert_eq!(quiet.next().now_or_never(), Some(Some("beat")));
    drop(quiet); // with one in flight, of which nobody knows
    let mut gone = zeros_but(&two_out);
    gone.insert("heartbeat.beats{outcome=error}".to_owned(), 1.0);
    gone.insert("heartbeat.stream.active".to_owned(), 0.0);
    assert_eq!(recording.values(), gone, "the lost one has no lateness, and no bytes");
}

#[test]
fn a_stream_whose_producer_is_given_up_tells_it_once_per_silence() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let observer = OtelObserver::new(&recording.meter());
    let config = Config::every(INTERVAL).with_give_up_after(seconds(40));
    let real = pin!(async {
        time.sleep_until(seconds(100)).await;
        "real"
    });
    let events = stream::once(real).chain(stream::pending());
    let events = events.heartbeat(time.clone(), config, || "beat").with_observer(observer);
    let mut events = pin!(events);

    let told = time.block_on(async {
        let mut told = Vec::new();
        while told.len() < 5 {
            told.push((events.next().await.expect("not ended"), time.now()));
        }
        told
    });
    let due = [("beat", 15), ("beat", 30), ("real", 100), ("beat", 115), ("beat", 130)];
    assert_eq!(told, due.map(|(item, at)| (item, seconds(at))));
    time.advance(seconds(10));
    assert_eq!(events.next().now_or_never(), None);

    let values = recording.values();
    assert_eq!(values["heartbeat.give_ups"], 2.0, "at 40 and at 140 s");
    assert_eq!(values["heartbeat.silence.max"], 70.0, "from 30 to 100 s");
    assert_eq!(values["heartbeat.traffic"], 0.0, "a closure knows no sizes");
}

#[test]
fn a_driver_tells_what_was_sent_and_what_was_withdrawn() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let (items, mut wire) = mpsc::channel(1);
    let (sender, driver) = heartbeat_sink(PollSender::new(items), time.clone(), INTERVAL, Measured);
    let driver = driver.with_observer(OtelObserver::new(&recording.meter()));

    let application = async {
        sender.send("one").await.expect("open");
        time.sleep_until(seconds(16)).await; // a heartbeat is due since 15 s, and there is no room
        sender.send("two").await.expect("open");
        time.sleep_until(seconds(41)).await;
        assert_eq!(recording.values()["heartbeat.stream.active"], 1.0);
        drop(sender);
    };
    let peer = async {
        time.sleep_until(seconds(20)).await;
        assert_eq!(wire.recv().await, Some("one"));
        assert_eq!(wire.recv().await, Some("two"), "it has overtaken the heartbeat");
        time.sleep_until(seconds(40)).await;
        assert_eq!(wire.recv().await, Some("beat"), "15 s after the second");
    };
    let (ended, (), ()) = time.block_on(join3(driver, application, peer));
    assert!(ended.is_ok(), "{ended:?}");
    let told = [
        ("heartbeat.beats{outcome=sent}", 1.0),
        ("heartbeat.lateness.count", 1.0),
        ("heartbeat.lateness.sum", 0.0),
        ("heartbeat.silence.max", 20.0),
        ("heartbeat.traffic", 24.0),
        ("heartbeat.withdrawals", 1.0),
    ];
    assert_eq!(recording.values(), zeros_but(&told));
}

#[test]
fn a_driver_tells_a_peer_that_does_not_read_and_the_heartbeat_that_was_owed() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let (items, _unread) = mpsc::channel(1);
    let config = Config::every(INTERVAL).with_stall_after(seconds(30));
    let (sender, driver) = heartbeat_sink(PollSender::new(items), time.clone(), config, Measured);
    let driver = driver.with_observer(OtelObserver::new(&recording.meter()));

    let application = async { sender.send("one").await.expect("open") };
    let (ended, ()) = time.block_on(join(driver, application));
    assert!(matches!(ended, Err(DriverError::Stalled)), "{ended:?}");
    assert_eq!(time.now(), seconds(45));
    let values = recording.values();
    assert_eq!(values["heartbeat.beats{outcome=error}"], 1.0);
    assert_eq!(values["heartbeat.stalls"], 1.0);
    assert_eq!(values["heartbeat.stream.active"], 0.0);
}

#[test]
fn a_hub_without_its_task_is_told() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let (hub, task) = Hub::with_timer(time.clone());
    drop(task);
    let (items, _unread) = mpsc::channel(1);
    let (_sender, driver) = heartbeat_sink(PollSender::new(items), hub, INTERVAL, Measured);
    let driver = driver.with_observer(OtelObserver::new(&recording.meter()));
    let ended = time.block_on(driver);
    assert!(matches!(ended, Err(DriverError::Hub(_))), "{ended:?}");
    assert_eq!(recording.values()["heartbeat.abandonments"], 1.0);
}

#[test]
fn a_driver_tells_a_heartbeat_that_the_transport_has_lost() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let (items, wire) = mpsc::channel(1);
    let (_sender, driver) =
        heartbeat_sink(PollSender::new(items), time.clone(), INTERVAL, Measured);
    let driver = driver.with_observer(OtelObserver::new(&recording.meter()));

    drop(wire);
    let ended = time.block_on(driver);
    assert!(matches!(ended, Err(DriverError::Transport(_))), "{ended:?}");
    let values = recording.values();
    assert_eq!(values["heartbeat.beats{outcome=error}"], 1.0);
    assert_eq!(values["heartbeat.beats{outcome=sent}"], 0.0);
    assert_eq!(values["heartbeat.stream.active"], 0.0);
}

#[test]
fn lateness_is_sorted_into_buckets_of_a_timers_size() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let observer = OtelObserver::new(&recording.meter());
    let quiet =
        stream::pending().heartbeat(time.clone(), INTERVAL, Measured).with_observer(observer);
    let mut quiet = pin!(quiet);
    for millis in [0, 1, 2, 3, 700, 299_000, 301_000] {
        assert_eq!(quiet.next().now_or_never(), None);
        time.advance(INTERVAL + Duration::from_millis(millis));
        assert_eq!(quiet.next().now_or_never(), Some(Some("beat")));
    }
    assert_eq!(quiet.next().now_or_never(), None);

    let (boundaries, counts) = recording.buckets("heartbeat.lateness");
    let steps = [
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
        300.0,
    ];
    assert_eq!(boundaries, steps);
    assert_eq!(counts, [2, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1]);
}

#[test]
fn attributes_of_the_user_are_on_everything_and_each_set_has_its_own_series() {
    let recording = Recording::new();
    let [prices, news] = ["/prices", "/news"].map(|route| {
        OtelObserver::with_attributes(&recording.meter(), [KeyValue::new("route", route)])
    });
    for observer in [&prices, &news.clone()] {
        tell_everything(observer, seconds(20));
    }
    tell_everything(&prices, seconds(90));
    prices.on_idle(seconds(30)); // not the longest

    for (route, twice, longest) in [("/prices", 2.0, 90.0), ("/news", 1.0, 20.0)] {
        let values = recording.values();
        let mut values: Vec<_> =
            values.iter().filter(|(series, _)| series.contains(route)).collect();
        values.sort_by_key(|(series, _)| *series);
        let expected = [
            (format!("heartbeat.abandonments{{route={route}}}"), twice),
            (format!("heartbeat.beats{{outcome=error,route={route}}}"), twice),
            (format!("heartbeat.beats{{outcome=sent,route={route}}}"), twice),
            (format!("heartbeat.give_ups{{route={route}}}"), twice),
            (format!("heartbeat.lateness.count{{route={route}}}"), twice),
            (format!("heartbeat.lateness.sum{{route={route}}}"), 0.0),
            (format!("heartbeat.silence.max{{route={route}}}"), longest),
            (format!("heartbeat.stalls{{route={route}}}"), twice),
            (format!("heartbeat.stream.active{{route={route}}}"), twice),
            (format!("heartbeat.traffic{{route={route}}}"), twice * 24.0),
            (format!("heartbeat.withdrawals{{route={route}}}"), twice),
        ];
        assert_eq!(values, expected.iter().map(|(s, v)| (s, v)).collect::<Vec<_>>());
    }
    assert_eq!(recording.values().len(), 22, "and no series without the attribute");
}

fn tell_everything(observer: &OtelObserver, silence: Duration) {
    use heartbeat_async::Outcome::{Error, Sent};
    observer.on_open();
    observer.on_heartbeat(Sent, Duration::ZERO, Some(24));
    observer.on_heartbeat(Error, seconds(9), Some(24));
    observer.on_cancelled();
    observer.on_give_up();
    observer.on_stall();
    observer.on_detached();
    observer.on_idle(silence);
}

#[test]
fn an_outcome_of_the_users_gives_way_to_ours() {
    let recording = Recording::new();
    let theirs = [KeyValue::new("outcome", "theirs")];
    let _observer = OtelObserver::with_attributes(&recording.meter(), theirs);
    let values = recording.values();
    let beats: Vec<_> = values.keys().filter(|series| series.contains("beats")).collect();
    assert_eq!(beats, ["heartbeat.beats{outcome=error}", "heartbeat.beats{outcome=sent}"]);
}

#[test]
fn a_silence_of_any_length_can_be_told() {
    let recording = Recording::new();
    let observer = OtelObserver::new(&recording.meter());
    observer.on_idle(Duration::MAX);
    let longest = recording.values()["heartbeat.silence.max"];
    assert!(longest > 18_000_000_000.0, "584 years, {longest}");
}

#[test]
fn it_can_be_shared_between_threads() {
    assert_impl_all!(OtelObserver: Observer, Clone, Send, Sync, Unpin);
    assert_eq!(size_of::<OtelObserver>(), size_of::<usize>(), "a clone is a pointer");
}
