//! Every protocol over every version of HTTP on every runtime, with real sockets and in real time.

mod support;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use heartbeat_async::Config;
use heartbeat_frame::GatewayEvent;
use heartbeat_gateway::server::ServerOptions;
use hyper::Version;
use support::client::{PROTOCOL_VERSIONS, ResponseStream, SOON, WireFormat};
use support::decode::Item;
use support::on_each_runtime;
use support::server::Server;
use support::tls::Certificate;
use tokio::time::{sleep, timeout};

const INTERVAL: Duration = Duration::from_millis(150);

/// The shortest silence before a heartbeat. On a hub it can be early by a 64th of the interval (T15).
fn shortest(interval: Duration) -> Duration {
    interval * 63 / 64
}

on_each_runtime![
    events_arrive_in_order_with_heartbeats_only_in_silence,
    a_busy_stream_has_no_heartbeats,
    a_client_resumes_or_gets_an_error,
    all_streams_end_with_success_at_shutdown,
    every_protocol_works_over_tls,
];

/// The event with this number. All fields are set, to values of different lengths.
fn event(number: u64) -> GatewayEvent {
    let length = usize::try_from(number * number * 977 % 30_000).expect("small");
    let payload: Vec<u8> = (0..length).map(|at| (at % 251).to_le_bytes()[0]).collect();
    GatewayEvent {
        event_type: format!("event.{number} with \"quotes\" and Ünicode"),
        event_id: number.to_string(),
        timestamp_ms: i64::try_from(number).expect("small") - 3,
        payload: payload.into(),
        payload_hash: vec![0, 0xff].into(),
        signature: "\n\n:\0".into(),
        key_id: "a\r\nkey".into(),
    }
}

async fn events_arrive_in_order_with_heartbeats_only_in_silence(runtime: &str) {
    let Server { address, log, .. } = Server::start(runtime, 100, INTERVAL).await;
    let open = |(format, version)| ResponseStream::subscribe(address, format, version, "");
    let mut streams = join_all(PROTOCOL_VERSIONS.map(open)).await;
    let mut published = 0;
    for count in 1..=3 {
        let before = published;
        let start = Instant::now();
        for _ in 0..count {
            published += 1;
            log.publish(event(published));
        }
        let watching = streams.iter_mut().zip(PROTOCOL_VERSIONS).map(async |(stream, case)| {
            let (mut number, mut heartbeats) = (before, 0);
            while number < published || heartbeats < 2 {
                match timeout(SOON, stream.next()).await.unwrap_or_else(|_| panic!("{case:?}")) {
                    Item::Event(received) => {
                        number += 1;
                        assert_eq!(received, event(number), "{case:?}");
                    }
                    Item::Heartbeat if number == before => {} // of the silence before
                    Item::Heartbeat => {
                        heartbeats += 1;
                        let silence = start.elapsed();
                        let at_least = shortest(INTERVAL) * heartbeats;
                        assert!(silence >= at_least, "{case:?}: after {silence:?}");
                    }
                    end => panic!("{case:?}: {end:?}"),
                }
            }
        });
        join_all(watching).await;
    }
    log.close();
    for (stream, case) in streams.iter_mut().zip(PROTOCOL_VERSIONS) {
        assert_eq!(stream.end().await, Item::Ended, "{case:?}");
    }
}

async fn a_busy_stream_has_no_heartbeats(runtime: &str) {
    let interval = Duration::from_millis(500);
    let Server { address, log, .. } = Server::start(runtime, 1000, interval).await;
    let published = RefCell::new(vec![Instant::now()]);
    let open = |(format, version)| ResponseStream::subscribe(address, format, version, "");
    let streams = join_all(PROTOCOL_VERSIONS.map(open)).await;
    let publishing = async {
        for number in 1..=50 {
            published.borrow_mut().push(Instant::now());
            log.publish(event(number));
            sleep(Duration::from_millis(20)).await; // two intervals in all
        }
    };
    let watching =
        join_all(streams.into_iter().zip(PROTOCOL_VERSIONS).map(async |(mut stream, case)| {
            let mut received = 0;
            while received < 50 {
                match timeout(SOON, stream.next()).await.expect("an event") {
                    Item::Event(next) => {
                        received += 1;
                        assert_eq!(next, event(received as u64), "{case:?}");
                    }
                    // On a machine that stalls for an interval.
                    Item::Heartbeat => {
                        let silence = published.borrow()[received].elapsed();
                        assert!(silence >= shortest(interval), "{case:?}: after {silence:?}");
                    }
                    end => panic!("{case:?}: {end:?}"),
                }
            }
        }));
    tokio::join!(publishing, watching);
}

async fn a_client_resumes_or_gets_an_error(runtime: &str) {
    let Server { address, log, .. } = Server::start(runtime, 3, INTERVAL).await;
    for number in 1..=5 {
        log.publish(event(number)); // the log keeps 3, 4 and 5
    }
    for (format, version) in PROTOCOL_VERSIONS {
        let case = (format, version);
        let mut resumed = ResponseStream::subscribe(address, format, version, "2").await;
        assert_eq!(resumed.status, 200, "{case:?}");
        assert_eq!(resumed.headers["content-type"], format.content_type(), "{case:?}");
        for number in 3..=5 {
            assert_eq!(resumed.event().await, event(number), "{case:?}");
        }
        let mut latest = ResponseStream::subscribe(address, format, version, "").await;
        assert_eq!(latest.event().await, event(5), "{case:?}");

        let unknown = "unknown event id \"6\": expected the id of a received event, or no id";
        let missed = "event 1 is too old, the oldest event in the log is 3: \
            subscribe without an id to continue from now";
        for (last, reason, grpc, connect, status) in
            [("6", unknown, "3", "invalid_argument", 400), ("1", missed, "11", "out_of_range", 410)]
        {
            let mut rejected = ResponseStream::subscribe(address, format, version, last).await;
            let failed = |code: &str| Item::Failed(code.to_owned(), reason.to_owned());
            match format {
                WireFormat::Sse | WireFormat::Ndjson => {
                    assert_eq!(rejected.status, status, "{case:?}");
                    assert_eq!(rejected.text().await, format!("{reason}\n"), "{case:?}");
                }
                WireFormat::ConnectProto | WireFormat::ConnectJson => {
                    assert_eq!(rejected.end().await, failed(connect), "{case:?}");
                }
                _ => assert_eq!(rejected.end().await, failed(grpc), "{case:?}"),
            }
        }
    }

    // A browser that reconnects sends the header, which has precedence over the query.
    for path in ["/events", "/events?last_event_id=4", "/events.ndjson", "/events.ndjson?other=1"] {
        let mut request = support::client::get(path);
        request.headers_mut().insert("last-event-id", "2".parse().expect("a value"));
        let mut resumed = ResponseStream::send(address, Version::HTTP_11, request).await;
        assert_eq!(resumed.event().await, event(3), "{path}");
    }
}

async fn all_streams_end_with_success_at_shutdown(runtime: &str) {
    let Server { address, log, stop, served } = Server::start(runtime, 100, INTERVAL).await;
    let open = |(format, version)| ResponseStream::subscribe(address, format, version, "");
    let streams = join_all(PROTOCOL_VERSIONS.map(open)).await;
    log.publish(event(1));
    log.close();
    stop.send(()).expect("the server runs");
    for (mut stream, case) in streams.into_iter().zip(PROTOCOL_VERSIONS) {
        assert_eq!(stream.event().await, event(1), "{case:?}");
        assert_eq!(stream.end().await, Item::Ended, "{case:?}");
    }
    timeout(SOON, served).await.expect("soon").expect("no panic");
}

async fn every_protocol_works_over_tls(runtime: &str) {
    let certificate = Certificate::new(&format!("protocols-{runtime}"));
    let options = certificate.apply(ServerOptions::default());
    let server = Server::start_with(runtime, 10, INTERVAL, &options, |gateway| gateway).await;
    server.log.publish(event(1));
    let mut streams = Vec::new();
    for (format, version) in PROTOCOL_VERSIONS {
        let alpn = if version == Version::HTTP_2 { "h2" } else { "http/1.1" };
        let connection = certificate.connect(server.address, &[alpn]).await;
        let mut stream = ResponseStream::send_on(connection, version, format.request("")).await;
        assert_eq!(stream.event().await, event(1), "{format:?}");
        streams.push(stream);
    }
    for (stream, case) in streams.iter_mut().zip(PROTOCOL_VERSIONS) {
        let heartbeat = timeout(SOON, stream.next()).await.expect("a heartbeat");
        assert_eq!(heartbeat, Item::Heartbeat, "{case:?}");
    }
    server.log.close();
    for (stream, case) in streams.iter_mut().zip(PROTOCOL_VERSIONS) {
        assert_eq!(stream.end().await, Item::Ended, "{case:?}");
    }
}

#[tokio::test]
async fn heartbeats_stop_on_a_stream_without_events() {
    let heartbeat = Config::every(Duration::from_millis(200));
    let heartbeat = heartbeat.with_give_up_after(Duration::from_millis(700));
    let Server { address, log, .. } = Server::start("tokio", 10, heartbeat).await;
    let open = |(format, version)| ResponseStream::subscribe(address, format, version, "");
    let mut streams = join_all(PROTOCOL_VERSIONS.map(open)).await;
    for number in 1..=2 {
        log.publish(event(number));
        let watching = streams.iter_mut().zip(PROTOCOL_VERSIONS).map(async |(stream, case)| {
            assert_eq!(stream.event().await, event(number), "{case:?}");
            let mut heartbeats = 0;
            while let Ok(item) = timeout(Duration::from_secs(1), stream.next()).await {
                assert_eq!(item, Item::Heartbeat, "{case:?}");
                heartbeats += 1;
            }
            assert!((1..=3).contains(&heartbeats), "{case:?}: {heartbeats}");
        });
        join_all(watching).await;
    }
}

#[tokio::test]
async fn a_slow_reader_that_misses_events_gets_an_error() {
    let Server { address, log, .. } = Server::start("tokio", 3, Duration::ZERO).await;
    let open = |(format, version)| ResponseStream::subscribe(address, format, version, "");
    let mut streams = join_all(PROTOCOL_VERSIONS.map(open)).await;
    // More than all buffers can hold while the client does not read.
    for number in 1..=1000 {
        let payload = vec![7; 20_000].into();
        log.publish(GatewayEvent { payload, ..event(number) });
        if number % 10 == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }
    for (stream, case) in streams.iter_mut().zip(PROTOCOL_VERSIONS) {
        let mut number = 0;
        let end = loop {
            match timeout(SOON, stream.next()).await.expect("an end") {
                Item::Event(event) => {
                    number += 1;
                    assert_eq!(event.event_id, number.to_string(), "{case:?}");
                }
                end => break end,
            }
        };
        match end {
            Item::Failed(_, reason) => assert!(reason.contains("is too old"), "{case:?}"),
            Item::Broken(_) => {
                assert!(
                    matches!(case.0, WireFormat::Sse | WireFormat::Ndjson),
                    "{case:?}: {end:?}"
                );
            }
            _ => panic!("{case:?}: {end:?}"),
        }
    }
}
