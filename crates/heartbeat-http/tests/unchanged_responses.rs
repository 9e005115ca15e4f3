//! Responses without heartbeats are unchanged: the bytes on a socket are compared between a server with the layer and
//! one without it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use futures_util::{Stream, StreamExt, stream};
use heartbeat_tokio::{
    HeartbeatLayer, HeartbeatMessage, HeartbeatPolicy, NdjsonHeartbeat, RpcHeartbeat,
    StreamingMethods,
};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, client, server};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tower::util::BoxCloneService;
use tower::{Layer, ServiceExt, service_fn};

/// A pause is as long as ten intervals.
const INTERVAL: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_millis(200);

type Body = BoxBody<Bytes, Infallible>;
type ResponseFn = fn(Request<Incoming>) -> Response<Body>;
type BoxService = BoxCloneService<Request<Incoming>, Response<Body>, Infallible>;

/// The frames, with a pause before each.
fn with_pauses(
    frames: impl IntoIterator<Item = Frame<Bytes>, IntoIter: Send + Sync + 'static>,
) -> Body {
    fn is_body(
        body: impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + Sync + 'static,
    ) -> Body {
        BodyExt::boxed(StreamBody::new(body))
    }
    is_body(stream::iter(frames).then(|frame| async {
        sleep(PAUSE).await;
        Ok(frame)
    }))
}

fn data(data: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from(data))
}

fn grpc_status() -> Frame<Bytes> {
    Frame::trailers(HeaderMap::from_iter([(
        "grpc-status".parse().expect("a name"),
        HeaderValue::from_static("0"),
    )]))
}

/// Events, and a pause before the end.
fn events() -> Body {
    with_pauses([data("data: 1\n\n"), data("data: 2\n\n"), data("")])
}

fn response(headers: &[(&str, &str)], body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    for (name, value) in headers {
        let name: hyper::header::HeaderName = name.parse().expect("a name");
        response.headers_mut().append(name, value.parse().expect("a value"));
    }
    response
}

const SSE: (&str, &str) = ("content-type", "text/event-stream");

fn with_status(status: u16) -> Response<Body> {
    let mut response = response(&[SSE], events());
    *response.status_mut() = status.try_into().expect("a status");
    response
}

/// Upgrades the connection, and writes to it after a pause.
fn upgraded(request: Request<Incoming>, status: u16, headers: &[(&str, &str)]) -> Response<Body> {
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.expect("an upgrade");
        sleep(PAUSE).await;
        TokioIo::new(upgraded).write_all(b"something else").await.expect("write");
    });
    let mut response = response(headers, BodyExt::boxed(Empty::new()));
    *response.status_mut() = status.try_into().expect("a status");
    response
}

fn server(handler: ResponseFn) -> BoxService {
    let service = service_fn(move |request| async move { Ok::<_, Infallible>(handler(request)) });
    BoxCloneService::new(service)
}

/// A server with a layer that enables heartbeats for all formats.
fn server_with_layer(handler: ResponseFn) -> BoxService {
    let json = HeartbeatMessage::from_payload("{}").expect("short");
    let messages = RpcHeartbeat::new(HeartbeatMessage::empty()).with_json(json);
    let policy = HeartbeatPolicy::new(INTERVAL)
        .with_ndjson(NdjsonHeartbeat::BlankLine)
        .with_rpc(StreamingMethods::paths(["/package.Service/Stream"]), messages);
    let service = HeartbeatLayer::new(policy).layer(server(handler));
    BoxCloneService::new(service.map_response(|response| response.map(BodyExt::boxed)))
}

/// Starts a server for one connection, and connects to it.
async fn connect(service: BoxService, http2: bool) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a bound listener");
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.expect("a client connects");
        let (io, service) = (TokioIo::new(connection), TowerToHyperService::new(service));
        if http2 {
            let mut http = server::conn::http2::Builder::new(TokioExecutor::new());
            http.auto_date_header(false).serve_connection(io, service).await
        } else {
            let mut http = server::conn::http1::Builder::new();
            http.auto_date_header(false).serve_connection(io, service).with_upgrades().await
        }
    });
    TcpStream::connect(address).await.expect("connect")
}

/// The bytes that the server writes on HTTP/1.1.
async fn http1(service: BoxService, request: &str) -> Vec<u8> {
    let mut connection = connect(service, false).await;
    let request = format!("{request} HTTP/1.1\r\nhost: localhost\r\nte: trailers\r\n");
    let close = if request.contains("upgrade") { "upgrade" } else { "close" };
    let request = format!("{request}connection: {close}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("write");
    let mut written = Vec::new();
    connection.read_to_end(&mut written).await.expect("the end");
    written
}

/// The bytes that the server writes on HTTP/2, up to the end of the response.
async fn http2(service: BoxService, path: &str) -> Vec<u8> {
    let written = Arc::default();
    let recorded = Recorded { inner: connect(service, true).await, read: Arc::clone(&written) };
    let http = client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut sender, connection) =
        http.handshake(TokioIo::new(recorded)).await.expect("an HTTP/2 handshake");
    let connection = tokio::spawn(connection);
    let request = Request::builder().method(Method::POST).uri(format!("http://localhost{path}"));
    let request = request.body(Full::new(Bytes::from_static(b"\0\0\0\0\0"))).expect("a request");
    let response = sender.send_request(request).await.expect("a response");
    response.into_body().collect().await.expect("a complete body");
    connection.abort();
    let written = written.lock().expect("not poisoned");
    Vec::clone(&written)
}

/// A connection that records the bytes read from it.
struct Recorded {
    inner: TcpStream,
    read: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Recorded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        self.read.lock().expect("not poisoned").extend(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Recorded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Responses without heartbeats on HTTP/1.1: name, request, and the handler of the server.
const HTTP1: &[(&str, &str, ResponseFn)] = &[
    ("another type", "GET /", |_| response(&[("content-type", "text/html")], events())),
    ("no type", "GET /", |_| response(&[], events())),
    ("a length in the headers", "GET /", |_| response(&[SSE, ("content-length", "18")], events())),
    ("a length by the body", "GET /", |_| {
        response(&[SSE], BodyExt::boxed(Full::from("data: 1\n\n")))
    }),
    ("no body", "GET /", |_| response(&[SSE], BodyExt::boxed(Empty::new()))),
    ("encoded", "GET /", |_| response(&[SSE, ("content-encoding", "br")], events())),
    ("a digest", "GET /", |_| response(&[SSE, ("repr-digest", "sha-256=:AA==:")], events())),
    ("HEAD of another type", "HEAD /", |_| response(&[("content-type", "text/html")], events())),
    ("no content", "GET /", |_| with_status(204)),
    ("reset content", "GET /", |_| with_status(205)),
    ("partial content", "GET /", |_| with_status(206)),
    ("a redirect", "GET /", |_| with_status(302)),
    ("not modified", "GET /", |_| with_status(304)),
    ("not found", "GET /", |_| with_status(404)),
    ("an error", "GET /", |_| with_status(500)),
    ("an upgrade", "GET /upgrade", |request| {
        upgraded(request, 101, &[SSE, ("connection", "upgrade"), ("upgrade", "else")])
    }),
    ("CONNECT", "CONNECT localhost:80", |request| upgraded(request, 200, &[SSE])),
    ("trailers on HTTP/1.1", "POST /package.Service/Unary", |_| {
        let headers = [("content-type", "application/grpc"), ("trailer", "grpc-status")];
        response(&headers, with_pauses([data("\0\0\0\0\x01a"), grpc_status()]))
    }),
];

/// Responses without heartbeats on HTTP/2: name, path, and the handler of the server.
const HTTP2: &[(&str, &str, ResponseFn)] = &[
    ("a unary method with pauses", "/package.Service/Unary", |_| {
        let headers = [("content-type", "application/grpc")];
        response(&headers, with_pauses([data("\0\0\0\0\x01a"), grpc_status()]))
    }),
    ("a method with a request stream", "/package.Service/Collect", |_| {
        let headers = [("content-type", "application/grpc+proto"), ("grpc-encoding", "gzip")];
        response(&headers, with_pauses([data("\0\0\0\0"), data("\x01a"), grpc_status()]))
    }),
    ("trailers alone", "/package.Service/Stream", |_| {
        let headers = [("content-type", "application/grpc"), ("grpc-status", "5")];
        response(&headers, with_pauses([data("")]))
    }),
    ("gRPC-Web, unary", "/package.Service/Unary", |_| {
        let headers = [("content-type", "application/grpc-web+proto")];
        response(&headers, with_pauses([data("\0\0\0\0\x01a"), data("")]))
    }),
    ("Connect, a stream of requests", "/package.Service/Collect", |_| {
        let headers = [("content-type", "application/connect+json")];
        response(
            &headers,
            with_pauses([data("\0\0\0\0\x02{}"), data("\x02\0\0\0\x02{}"), data("")]),
        )
    }),
    ("Connect, unary", "/package.Service/Stream", |_| {
        response(&[("content-type", "application/proto")], with_pauses([data("a"), data("")]))
    }),
    ("another codec", "/package.Service/Stream", |_| {
        let headers = [("content-type", "application/grpc+thrift")];
        response(&headers, with_pauses([data("\0\0\0\0\x01a"), grpc_status()]))
    }),
];

#[tokio::test]
async fn http1_responses_without_heartbeats_are_identical() {
    let compared = HTTP1.iter().map(|&(case, request, handler)| async move {
        let (with, without) =
            join(http1(server_with_layer(handler), request), http1(server(handler), request)).await;
        assert!(without.starts_with(b"HTTP/1.1 "), "{case}");
        assert_eq!(with.escape_ascii().to_string(), without.escape_ascii().to_string(), "{case}");
    });
    futures_util::future::join_all(compared).await;
}

#[tokio::test]
async fn http2_responses_without_heartbeats_are_identical() {
    let compared = HTTP2.iter().map(|&(case, path, handler)| async move {
        let (with, without) =
            join(http2(server_with_layer(handler), path), http2(server(handler), path)).await;
        assert!(without.len() > 30, "{case}");
        assert_eq!(with.escape_ascii().to_string(), without.escape_ascii().to_string(), "{case}");
    });
    futures_util::future::join_all(compared).await;
}

#[tokio::test]
async fn the_response_to_head_has_the_headers_of_get_and_no_body() {
    let handler: ResponseFn = |_| response(&[SSE, ("cache-control", "no-cache")], events());
    let to = |request| http1(server_with_layer(handler), request);
    let (head, get) = join(to("HEAD /"), to("GET /")).await;
    let (head, get) = (head.escape_ascii().to_string(), get.escape_ascii().to_string());
    let get = get.replace("transfer-encoding: chunked\\r\\n", ""); // hyper leaves it out without a body
    let (headers, body) = get.split_once("\\r\\n\\r\\n").expect("a body");
    assert!(headers.contains("no-cache, no-transform") && !body.is_empty(), "{get}");
    assert_eq!(head, format!("{headers}\\r\\n\\r\\n"));
}

#[tokio::test]
async fn responses_with_heartbeats_differ() {
    let handler: ResponseFn = |_| response(&[SSE], events());
    let (with, without) =
        join(http1(server_with_layer(handler), "GET /"), http1(server(handler), "GET /")).await;
    let chunks = with.escape_ascii().to_string().matches("2\\r\\n:\\n\\r\\n").count();
    assert!(chunks >= 2, "{}", with.escape_ascii());
    assert!(!without.windows(2).any(|bytes| bytes == b":\n"));

    let handler: ResponseFn = |_| {
        let headers = [("content-type", "application/grpc")];
        response(&headers, with_pauses([data("\0\0\0\0\x01a"), grpc_status()]))
    };
    let path = "/package.Service/Stream";
    let (with, without) =
        join(http2(server_with_layer(handler), path), http2(server(handler), path)).await;
    assert!(with.len() >= without.len() + 2 * (9 + 5), "{}", with.escape_ascii());
}
