//! hyper discards what it has not sent when a body returns an error. Behind the layer it has sent it.

use std::future::{Ready, ready};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use heartbeat_tokio::HeartbeatLayer;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Frame};
use hyper::client::conn::http2 as client;
use hyper::server::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_test::task::spawn;
use tower::{Layer, ServiceExt, service_fn};

const EVENTS: [&str; 5] = ["1", "2", "3", "4", "5"];

type Events = Box<dyn Body<Data = Bytes, Error = io::Error> + Send + Unpin>;

/// Five frames and an error, all of them ready at once.
fn events() -> Events {
    let frames = EVENTS.map(|event| Ok(Frame::data(Bytes::from_static(event.as_bytes()))));
    let frames = frames.into_iter().chain([Err(io::Error::other("broken off"))]);
    Box::new(StreamBody::new(stream::iter(frames)))
}

const CONTENT_TYPES: [&str; 2] = ["text/event-stream", "text/plain"];

/// A handler whose response ends with an error.
fn respond<B>(
    content_type: &'static str,
) -> impl FnMut(Request<B>) -> Ready<io::Result<Response<Events>>> + Clone {
    move |_| {
        let response = Response::builder().header("content-type", content_type).body(events());
        ready(Ok(response.expect("a response")))
    }
}

/// With heartbeats for server-sent events. Other content types pass through the layer.
fn layer() -> HeartbeatLayer {
    HeartbeatLayer::new(Duration::from_secs(15))
}

#[tokio::test]
async fn over_http1_the_head_and_all_data_precede_an_error() {
    for content_type in CONTENT_TYPES {
        let service = TowerToHyperService::new(layer().layer(service_fn(respond(content_type))));
        let (mut client, server) = duplex(1024);
        let connection =
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(server), service));
        client.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await.expect("sent");
        let mut received = String::new();
        client.read_to_string(&mut received).await.expect("text");
        assert!(received.ends_with("1\r\n5\r\n"), "{content_type}: {received:?}");
        assert!(connection.await.expect("no panic").is_err());
    }
}

#[tokio::test]
async fn over_http2_the_head_and_all_data_precede_an_error() {
    for content_type in CONTENT_TYPES {
        let service = TowerToHyperService::new(layer().layer(service_fn(respond(content_type))));
        let (client, server) = duplex(1024);
        let http = http2::Builder::new(TokioExecutor::new());
        tokio::spawn(http.serve_connection(TokioIo::new(server), service));
        let (mut client, connection) =
            client::handshake(TokioExecutor::new(), TokioIo::new(client)).await.expect("HTTP/2");
        tokio::spawn(connection);
        let request = Request::get("http://here/").body(String::new()).expect("a request");
        let mut body = client.send_request(request).await.expect("a response").into_body();
        let mut received = Vec::new();
        while let Some(Ok(frame)) = body.frame().await {
            received.extend(frame.into_data().expect("data"));
        }
        assert_eq!(received, EVENTS.concat().as_bytes(), "{content_type}");
    }
}

#[tokio::test]
async fn an_error_is_returned_after_one_pending_poll() {
    for content_type in CONTENT_TYPES {
        let service = layer().layer(service_fn(respond(content_type)));
        let response = service.oneshot(Request::new(())).await.expect("a response");
        let mut body = pin!(response.into_body());
        for event in EVENTS {
            let frame = body.frame().await.expect("more").expect("no error");
            assert_eq!(frame.into_data().expect("data"), event);
        }
        let mut frame = spawn(body.frame());
        assert!(frame.poll().is_pending());
        assert!(frame.is_woken());
        drop(frame);
        assert!(!body.is_end_stream());
        assert!(matches!(spawn(body.frame()).poll(), Poll::Ready(Some(Err(_)))));
    }
}
