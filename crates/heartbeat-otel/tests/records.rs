//! T19: streams and drivers in virtual time, and the metrics that are exported for them.

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
        "heartbeat"
    }

    fn encoded_len(&mut self, _: &&'static str) -> Option<usize> {
        Some(24)
    }
}

/// The time series that exist from the start.
const ZEROS: [(&str, f64); 9] = [
    ("heartbeat.cancelled", 0.0),
    ("heartbeat.detached", 0.0),
    ("heartbeat.idle.max", 0.0),
    ("heartbeat.messages{outcome=error}", 0.0),
    ("heartbeat.messages{outcome=sent}", 0.0),
    ("heartbeat.producer_timeouts", 0.0),
    ("heartbeat.size", 0.0),
    ("heartbeat.stalled", 0.0),
    ("heartbeat.stream.active", 0.0),
];

/// [`ZEROS`], with some series replaced or added.
fn zeros_and(others: &[(&str, f64)]) -> BTreeMap<String, f64> {
    let all = ZEROS.iter().chain(others);
    all.map(|(series, value)| ((*series).to_owned(), *value)).collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn all_series_but_the_delay_start_at_zero() {
    let recording = Recording::new();
    let observer = OtelObserver::new(&recording.meter());
    assert_eq!(recording.values(), zeros_and(&[]));
    drop(observer);
    assert_eq!(recording.values(), zeros_and(&[]), "the series outlive the observer");
}

#[test]
fn a_stream_records_messages_delay_size_and_idle_time() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let observer = OtelObserver::new(&recording.meter());
    let quiet =
        stream::pending().heartbeat(time.clone(), INTERVAL, Measured).with_observer(observer);
    let mut quiet = Box::pin(quiet);

    assert_eq!(quiet.next().now_or_never(), None);
    assert_eq!(recording.values(), zeros_and(&[("heartbeat.stream.active", 1.0)]));

    time.advance(seconds(15));
    assert_eq!(quiet.next().now_or_never(), Some(Some("heartbeat")), "in flight");
    assert_eq!(quiet.next().now_or_never(), None, "sent");
    time.advance(seconds(19)); // 4 s late
    assert_eq!(quiet.next().now_or_never(), Some(Some("heartbeat")));
    assert_eq!(quiet.next().now_or_never(), None);
    let two_sent = [
        ("heartbeat.messages{outcome=sent}", 2.0),
        ("heartbeat.delay.count", 2.0),
        ("heartbeat.delay.sum", 4.0),
        ("heartbeat.idle.max", 19.0),
        ("heartbeat.stream.active", 1.0),
        ("heartbeat.size", 48.0),
    ];
    assert_eq!(recording.values(), zeros_and(&two_sent));

    time.advance(seconds(15));
    assert_eq!(quiet.next().now_or_never(), Some(Some("heartbeat")));
    drop(quiet); // with one in flight, whose outcome is unknown
    let mut dropped = zeros_and(&two_sent);
    dropped.insert("heartbeat.messages{outcome=error}".to_owned(), 1.0);
    dropped.insert("heartbeat.stream.active".to_owned(), 0.0);
    assert_eq!(recording.values(), dropped, "a lost heartbeat has no delay and no size");
}

#[test]
fn responses_that_pass_through_are_counted_by_reason() {
    let recording = Recording::new();
    let attributes = [KeyValue::new("reason", "mine"), KeyValue::new("route", "/prices")];
    let observer = OtelObserver::with_attributes(&recording.meter(), attributes);
    for reason in ["length", "content_type", "length"] {
        observer.clone().on_passthrough(reason);
    }
    let passthrough: Vec<_> = recording
        .values()
        .into_iter()
        .filter(|(series, _)| series.starts_with("heartbeat.passthrough"))
        .collect();
    assert_eq!(
        passthrough,
        [
            ("heartbeat.passthrough{reason=content_type,route=/prices}".to_owned(), 1.0),
            ("heartbeat.passthrough{reason=length,route=/prices}".to_owned(), 2.0),
        ]
    );
}

#[test]
fn a_producer_timeout_is_counted_once_per_silence() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let observer = OtelObserver::new(&recording.meter());
    let config = Config::every(INTERVAL).with_give_up_after(seconds(40));
    let event = pin!(async {
        time.sleep_until(seconds(100)).await;
        "event"
    });
    let events = stream::once(event).chain(stream::pending());
    let events = events.heartbeat(time.clone(), config, || "heartbeat").with_observer(observer);
    let mut events = pin!(events);

    let recorded = time.block_on(async {
        let mut recorded = Vec::new();
        while recorded.len() < 5 {
            recorded.push((events.next().await.expect("not ended"), time.now()));
        }
        recorded
    });
    let due = [
        ("heartbeat", 15),
        ("heartbeat", 30),
        ("event", 100),
        ("heartbeat", 115),
        ("heartbeat", 130),
    ];
    assert_eq!(recorded, due.map(|(item, at)| (item, seconds(at))));
    time.advance(seconds(10));
    assert_eq!(events.next().now_or_never(), None);

    let values = recording.values();
    assert_eq!(values["heartbeat.producer_timeouts"], 2.0, "at 40 and at 140 s");
    assert_eq!(values["heartbeat.idle.max"], 70.0, "from 30 to 100 s");
    assert_eq!(values["heartbeat.size"], 0.0, "the size of a closure's heartbeats is unknown");
}

#[test]
fn a_driver_records_sent_and_cancelled_heartbeats() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let (items, mut wire) = mpsc::channel(1);
    let (sender, driver) = heartbeat_sink(PollSender::new(items), time.clone(), INTERVAL, Measured);
    let driver = driver.with_observer(OtelObserver::new(&recording.meter()));

    let application = async {
        sender.send("one").await.expect("open");
        time.sleep_until(seconds(16)).await; // a heartbeat has been due for 1 s, and the channel is full
        sender.send("two").await.expect("open");
        time.sleep_until(seconds(41)).await;
        assert_eq!(recording.values()["heartbeat.stream.active"], 1.0);
        drop(sender);
    };
    let peer = async {
        time.sleep_until(seconds(20)).await;
        assert_eq!(wire.recv().await, Some("one"));
        assert_eq!(wire.recv().await, Some("two"), "the item overtakes the heartbeat");
        time.sleep_until(seconds(40)).await;
        assert_eq!(wire.recv().await, Some("heartbeat"), "15 s after the second");
    };
    let (result, (), ()) = time.block_on(join3(driver, application, peer));
    assert!(result.is_ok(), "{result:?}");
    let recorded = [
        ("heartbeat.messages{outcome=sent}", 1.0),
        ("heartbeat.delay.count", 1.0),
        ("heartbeat.delay.sum", 0.0),
        ("heartbeat.idle.max", 20.0),
        ("heartbeat.size", 24.0),
        ("heartbeat.cancelled", 1.0),
    ];
    assert_eq!(recording.values(), zeros_and(&recorded));
}

#[test]
fn a_stall_is_counted_with_the_pending_heartbeat_as_an_error() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let (items, _unread) = mpsc::channel(1);
    let config = Config::every(INTERVAL).with_stall_after(seconds(30));
    let (sender, driver) = heartbeat_sink(PollSender::new(items), time.clone(), config, Measured);
    let driver = driver.with_observer(OtelObserver::new(&recording.meter()));

    let application = async { sender.send("one").await.expect("open") };
    let (result, ()) = time.block_on(join(driver, application));
    assert!(matches!(result, Err(DriverError::Stalled)), "{result:?}");
    assert_eq!(time.now(), seconds(45));
    let values = recording.values();
    assert_eq!(values["heartbeat.messages{outcome=error}"], 1.0);
    assert_eq!(values["heartbeat.stalled"], 1.0);
    assert_eq!(values["heartbeat.stream.active"], 0.0);
}

#[test]
fn a_sink_on_a_hub_without_its_task_is_counted_as_detached() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let (hub, task) = Hub::with_timer(time.clone());
    drop(task);
    let (items, _unread) = mpsc::channel(1);
    let (_sender, driver) = heartbeat_sink(PollSender::new(items), hub, INTERVAL, Measured);
    let driver = driver.with_observer(OtelObserver::new(&recording.meter()));
    let result = time.block_on(driver);
    assert!(matches!(result, Err(DriverError::Hub(_))), "{result:?}");
    assert_eq!(recording.values()["heartbeat.detached"], 1.0);
}

#[test]
fn a_heartbeat_that_the_transport_rejects_is_an_error() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let (items, wire) = mpsc::channel(1);
    let (_sender, driver) =
        heartbeat_sink(PollSender::new(items), time.clone(), INTERVAL, Measured);
    let driver = driver.with_observer(OtelObserver::new(&recording.meter()));

    drop(wire);
    let result = time.block_on(driver);
    assert!(matches!(result, Err(DriverError::Transport(_))), "{result:?}");
    let values = recording.values();
    assert_eq!(values["heartbeat.messages{outcome=error}"], 1.0);
    assert_eq!(values["heartbeat.messages{outcome=sent}"], 0.0);
    assert_eq!(values["heartbeat.stream.active"], 0.0);
}

#[test]
fn the_buckets_of_the_delay_fit_a_timer() {
    let (recording, time) = (Recording::new(), VirtualTime::new());
    let observer = OtelObserver::new(&recording.meter());
    let quiet =
        stream::pending().heartbeat(time.clone(), INTERVAL, Measured).with_observer(observer);
    let mut quiet = pin!(quiet);
    for millis in [0, 1, 2, 3, 700, 299_000, 301_000] {
        assert_eq!(quiet.next().now_or_never(), None);
        time.advance(INTERVAL + Duration::from_millis(millis));
        assert_eq!(quiet.next().now_or_never(), Some(Some("heartbeat")));
    }
    assert_eq!(quiet.next().now_or_never(), None);

    let (boundaries, counts) = recording.buckets("heartbeat.delay");
    let steps = [
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
        300.0,
    ];
    assert_eq!(boundaries, steps);
    assert_eq!(counts, [2, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1]);
}

#[test]
fn each_set_of_attributes_has_its_own_series() {
    let recording = Recording::new();
    let [prices, news] = ["/prices", "/news"].map(|route| {
        OtelObserver::with_attributes(&recording.meter(), [KeyValue::new("route", route)])
    });
    for observer in [&prices, &news.clone()] {
        report_everything(observer, seconds(20));
    }
    report_everything(&prices, seconds(90));
    prices.on_idle(seconds(30)); // not the longest

    for (route, twice, longest) in [("/prices", 2.0, 90.0), ("/news", 1.0, 20.0)] {
        let values = recording.values();
        let mut values: Vec<_> =
            values.iter().filter(|(series, _)| series.contains(route)).collect();
        values.sort_by_key(|(series, _)| *series);
        let expected = [
            (format!("heartbeat.cancelled{{route={route}}}"), twice),
            (format!("heartbeat.delay.count{{route={route}}}"), twice),
            (format!("heartbeat.delay.sum{{route={route}}}"), 0.0),
            (format!("heartbeat.detached{{route={route}}}"), twice),
            (format!("heartbeat.idle.max{{route={route}}}"), longest),
            (format!("heartbeat.messages{{outcome=error,route={route}}}"), twice),
            (format!("heartbeat.messages{{outcome=sent,route={route}}}"), twice),
            (format!("heartbeat.producer_timeouts{{route={route}}}"), twice),
            (format!("heartbeat.size{{route={route}}}"), twice * 24.0),
            (format!("heartbeat.stalled{{route={route}}}"), twice),
            (format!("heartbeat.stream.active{{route={route}}}"), twice),
        ];
        assert_eq!(values, expected.iter().map(|(s, v)| (s, v)).collect::<Vec<_>>());
    }
    assert_eq!(recording.values().len(), 22, "no series is without the attribute");
}

fn report_everything(observer: &OtelObserver, idle: Duration) {
    use heartbeat_async::Outcome::{Error, Sent};
    observer.on_open();
    observer.on_heartbeat(Sent, Duration::ZERO, Some(24));
    observer.on_heartbeat(Error, seconds(9), Some(24));
    observer.on_cancelled();
    observer.on_give_up();
    observer.on_stall();
    observer.on_detached();
    observer.on_idle(idle);
}

#[test]
fn the_attribute_outcome_cannot_be_replaced() {
    let recording = Recording::new();
    let theirs = [KeyValue::new("outcome", "theirs")];
    let _observer = OtelObserver::with_attributes(&recording.meter(), theirs);
    let values = recording.values();
    let messages: Vec<_> = values.keys().filter(|series| series.contains("messages")).collect();
    assert_eq!(messages, ["heartbeat.messages{outcome=error}", "heartbeat.messages{outcome=sent}"]);
}

#[test]
fn a_silence_of_any_length_is_recorded() {
    let recording = Recording::new();
    let observer = OtelObserver::new(&recording.meter());
    observer.on_idle(Duration::MAX);
    let longest = recording.values()["heartbeat.idle.max"];
    assert!(longest > 18_000_000_000.0, "584 years, {longest}");
}

#[test]
fn the_observer_is_send_and_sync() {
    assert_impl_all!(OtelObserver: Observer, Clone, Send, Sync, Unpin);
    assert_eq!(size_of::<OtelObserver>(), size_of::<usize>(), "a clone is a pointer");
}
