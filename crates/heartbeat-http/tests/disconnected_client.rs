//! Heartbeats detect a client that has disconnected, even if the server allows half-closed connections.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use heartbeat_tokio::HeartbeatLayer;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Instant, timeout};
use tower::{Layer, service_fn};

const INTERVAL: Duration = Duration::from_millis(200);

/// A body without frames. Dropping it closes the channel of its guard.
struct SilentBody {
    _guard: Sender<()>,
}

impl Body for SilentBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// The time from the disconnect of the client to the drop of the body; `None` after ten intervals.
async fn dropped_after(interval: Duration) -> Option<Duration> {
    let (guard, mut dropped) = mpsc::channel(1);
    let service = service_fn(move |_: Request<Incoming>| {
        let body = SilentBody { _guard: guard.clone() };
        async { Response::builder().header("content-type", "text/event-stream").body(body) }
    });
    let service = TowerToHyperService::new(HeartbeatLayer::new(interval).layer(service));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a bound listener");
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.expect("a client connects");
        let mut http = http1::Builder::new();
        http.half_close(true).serve_connection(TokioIo::new(connection), service).await
    });

    let mut client = TcpStream::connect(address).await.expect("connect");
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    client.write_all(request).await.expect("write");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.expect("a response"));
    }
    drop(client);
    let disconnected = Instant::now();
    let result = timeout(10 * INTERVAL, dropped.recv()).await;
    result.ok().map(|_| disconnected.elapsed())
}

#[tokio::test]
async fn without_heartbeats_a_disconnect_is_not_detected() {
    assert_eq!(dropped_after(Duration::ZERO).await, None);
}

#[tokio::test]
async fn with_heartbeats_a_disconnect_is_detected_within_two_intervals() {
    let after = dropped_after(INTERVAL).await.expect("the body is dropped");
    assert!(after <= 2 * INTERVAL + INTERVAL / 2, "{after:?}"); // half an interval of slack for a busy machine
}
