//! Heartbeats that a client on h2 does not read. `docs/integrating.md` ("Clients on h2") has the arithmetic.
//!
//! The clock is paused, so an interval passes when nothing else is left to do.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use h2::{Reason, RecvStream, client};
use heartbeat_frame::SseHeartbeat;
use heartbeat_tokio::{HeartbeatLayer, HeartbeatPolicy};
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::time::timeout;
use tower::{Layer, service_fn};

const INTERVAL: Duration = Duration::from_secs(15);

/// Bytes of a frame that count as overhead if they are missing.
const FULL_FRAME: usize = 256;
/// Half of the default window of a connection.
const BUDGET: usize = 65_535 / 2;

/// Two responses without events on one connection: one without heartbeats, and one with heartbeats of `len` bytes.
async fn open(len: usize) -> [RecvStream; 2] {
    let heartbeat = SseHeartbeat::comment(&"x".repeat(len - ":\n".len())).expect("a line");
    assert_eq!(heartbeat.bytes().len(), len);
    let layer = HeartbeatLayer::new(HeartbeatPolicy::new(INTERVAL).with_sse(&heartbeat));
    let service = layer.layer(service_fn(async |request: Request<Incoming>| {
        let content_type =
            if request.uri().path() == "/events" { "text/event-stream" } else { "text/plain" };
        let body = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        Response::builder().header("content-type", content_type).body(body)
    }));
    let (server, client) = tokio::io::duplex(64 * 1024);
    tokio::spawn(
        http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(server), TowerToHyperService::new(service)),
    );

    let (mut http, connection) = client::handshake(client).await.expect("a handshake");
    tokio::spawn(connection);
    let mut bodies = Vec::new();
    for path in ["plain", "events"] {
        let request = Request::get(format!("http://localhost/{path}")).body(()).expect("a request");
        let (response, _) = http.send_request(request, true).expect("an open connection");
        bodies.push(response.await.expect("a response").into_body());
    }
    tokio::spawn(async move {
        let _open = http; // a connection without it ends with its last stream
        std::future::pending::<()>().await;
    });
    bodies.try_into().expect("two")
}

/// The frames that have arrived before the connection failed.
async fn count_frames(mut body: RecvStream) -> usize {
    let mut frames = 0;
    while let Some(Ok(_)) = body.data().await {
        frames += 1;
    }
    frames
}

#[tokio::test(start_paused = true)]
async fn unread_heartbeats_end_the_connection() {
    for (len, may_be_unread) in [(2, 129), (5, 130)] {
        assert_eq!(BUDGET / (FULL_FRAME - len), may_be_unread);
        let [mut read, unread] = open(len).await;
        let error = read.data().await.expect("no end").expect_err("no data");
        assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM), "{error}");
        assert!(error.is_go_away() && error.is_library(), "{error}");
        assert!(error.to_string().contains("too_many_data_frames"), "{error}");
        assert_eq!(count_frames(unread).await, may_be_unread + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn unread_heartbeats_of_256_bytes_fill_the_window_instead() {
    let [mut other, mut unread] = open(FULL_FRAME).await;
    let failed = timeout(1000 * INTERVAL, other.data()).await;
    assert!(failed.is_err(), "{failed:?}");

    let mut received = 0;
    while received < 65_535 {
        let data = unread.data().await.expect("no end").expect("no error");
        received += data.len();
    }
    assert_eq!(received, 65_535);
    let more = timeout(10 * INTERVAL, unread.data()).await;
    assert!(more.is_err(), "a window that was not released: {more:?}");
    unread.flow_control().release_capacity(received).expect("received");
    unread.data().await.expect("no end").expect("no error");
}

#[tokio::test(start_paused = true)]
async fn heartbeats_that_are_read_cost_nothing() {
    let [mut other, mut events] = open(2).await;
    for _ in 0..1000 {
        let data = events.data().await.expect("no end").expect("no error");
        assert_eq!(data, ":\n");
        events.flow_control().release_capacity(data.len()).expect("received");
    }
    assert!(timeout(INTERVAL / 2, other.data()).await.is_err());
}
