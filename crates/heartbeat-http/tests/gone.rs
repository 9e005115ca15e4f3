//! A client that has gone is noticed by the heartbeats, also where half-closed connections are minded.

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

/// A body that is silent for ever. What it holds tells when it is dropped.
struct Silent {
    _held: Sender<()>,
}

impl Body for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// How long after its client has gone the body is dropped; `None` if it is not for ten intervals.
async fn dropped_after(interval: Duration) -> Option<Duration> {
    let (guard, mut dropped) = mpsc::channel(1);
    let service = service_fn(move |_: Request<Incoming>| {
        let body = Silent { _held: guard.clone() };
        async { Response::builder().header("content-type", "text/event-stream").body(body) }
    });
    let service = TowerToHyperService::new(HeartbeatLayer::new(interval).layer(service));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.expect("a client connects");
        let mut http = http1::Builder::new();
        http.half_close(true).serve_connection(TokioIo::new(connection), service).await
    });

    let mut client = TcpStream::connect(address).await.expect("it listens");
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    client.write_all(request).await.expect("it reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.expect("it answers"));
    }
    drop(client);
    let gone = Instant::now();
    let noticed = timeout(10 * INTERVAL, dropped.recv()).await;
    noticed.ok().map(|_| gone.elapsed())
}

#[tokio::test]
async fn without_heartbeats_nobody_notices() {
    assert_eq!(dropped_after(Duration::ZERO).await, None);
}

#[tokio::test]
async fn with_heartbeats_it_is_noticed_within_two_intervals() {
    let after = dropped_after(INTERVAL).await.expect("it is noticed");
    assert!(after <= 2 * INTERVAL + INTERVAL / 2, "{after:?}"); // and what a busy machine needs
}
