//! What passes untouched, compared byte by byte on real sockets: a server answers with the layer and
//! without it.

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

/// In a pause there is time for ten heartbeats.
const INTERVAL: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_millis(200);

type Body = BoxBody<Bytes, Infallible>;
type Answer = fn(Request<Incoming>) -> Response<Body>;
type Served = BoxCloneService<Request<Incoming>, Response<Body>, Infallible>;

/// The frames, with a pause before each.
fn slow(frames: impl IntoIterator<Item = Frame<Bytes>, IntoIter: Send + Sync + 'static>) -> Body {
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
    slow([data("data: 1\n\n"), data("data: 2\n\n"), data("")])
}

fn answer(headers: &[(&str, &str)], body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    for (name, value) in headers {
        let name: hyper::header::HeaderName = name.parse().expect("a name");
        response.headers_mut().append(name, value.parse().expect("a value"));
    }
    response
}

const SSE: (&str, &str) = ("content-type", "text/event-stream");

fn with_status(status: u16) -> Response<Body> {
    let mut response = answer(&[SSE], events());
    *response.status_mut() = status.try_into().expect("a status");
    response
}

/// Takes the connection over, and says something on it later.
fn upgraded(request: Request<Incoming>, status: u16, headers: &[(&str, &str)]) -> Response<Body> {
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.expect("it is");
        sleep(PAUSE).await;
        TokioIo::new(upgraded).write_all(b"something else").await.expect("it is open");
    });
    let mut response = answer(headers, BodyExt::boxed(Empty::new()));
    *response.status_mut() = status.try_into().expect("a status");
    response
}

fn server(answer: Answer) -> Served {
    let service = service_fn(move |request| async move { Ok::<_, Infallible>(answer(request)) });
    BoxCloneService::new(service)
}

/// The same with a layer around it that keeps alive whatever it can.
fn layered(answer: Answer) -> Served {
    let json = HeartbeatMessage::from_payload("{}").expect("short");
    let messages = RpcHeartbeat::new(HeartbeatMessage::empty()).with_json(json);
    let policy = HeartbeatPolicy::new(INTERVAL)
        .with_ndjson(NdjsonHeartbeat::BlankLine)
        .with_rpc(StreamingMethods::paths(["/package.Service/Stream"]), messages);
    let service = HeartbeatLayer::new(policy).layer(server(answer));
    BoxCloneService::new(service.map_response(|response| response.map(BodyExt::boxed)))
}

/// A connection to a server of one connection.
async fn connect(service: Served, http2: bool) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
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
    TcpStream::connect(address).await.expect("it listens")
}

/// What the server writes on HTTP/1.1.
async fn http1(service: Served, request: &str) -> Vec<u8> {
    let mut connection = connect(service, false).await;
    let request = format!("{request} HTTP/1.1\r\nhost: localhost\r\nte: trailers\r\n");
    let close = if request.contains("upgrade") { "upgrade" } else { "close" };
    let request = format!("{request}connection: {close}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("it reads");
    let mut written = Vec::new();
    connection.read_to_end(&mut written).await.expect("it ends");
    written
}

/// What the server writes on HTTP/2, up to the end of the response.
async fn http2(service: Served, path: &str) -> Vec<u8> {
    let written = Arc::default();
    let recorded = Recorded { inner: connect(service, true).await, read: Arc::clone(&written) };
    let http = client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut sender, connection) =
        http.handshake(TokioIo::new(recorded)).await.expect("it speaks HTTP/2");
    let connection = tokio::spawn(connection);
    let request = Request::builder().method(Method::POST).uri(format!("http://localhost{path}"));
    let request = request.body(Full::new(Bytes::from_static(b"\0\0\0\0\0"))).expect("a request");
    let response = sender.send_request(request).await.expect("it answers");
    response.into_body().collect().await.expect("it ends well");
    connection.abort();
    let written = written.lock().expect("nothing panics");
    Vec::clone(&written)
}

/// A connection of which all is kept that is read.
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
        self.read.lock().expect("nothing panics").extend(&buffer.filled()[before..]);
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

/// What passes on HTTP/1.1: the request, and the answer to it.
const HTTP1: &[(&str, &str, Answer)] = &[
    ("another type", "GET /", |_| answer(&[("content-type", "text/html")], events())),
    ("no type", "GET /", |_| answer(&[], events())),
    ("a length in the headers", "GET /", |_| answer(&[SSE, ("content-length", "18")], events())),
    ("a length by the body", "GET /", |_| {
        answer(&[SSE], BodyExt::boxed(Full::from("data: 1\n\n")))
    }),
    ("no body", "GET /", |_| answer(&[SSE], BodyExt::boxed(Empty::new()))),
    ("encoded", "GET /", |_| answer(&[SSE, ("content-encoding", "br")], events())),
    ("a digest", "GET /", |_| answer(&[SSE, ("repr-digest", "sha-256=:AA==:")], events())),
    ("HEAD", "HEAD /", |_| answer(&[SSE], events())),
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
        answer(&headers, slow([data("\0\0\0\0\x01a"), grpc_status()]))
    }),
];

/// What passes on HTTP/2: the path, and the answer to it.
const HTTP2: &[(&str, &str, Answer)] = &[
    ("a unary method, slow to answer and to end", "/package.Service/Unary", |_| {
        let headers = [("content-type", "application/grpc")];
        answer(&headers, slow([data("\0\0\0\0\x01a"), grpc_status()]))
    }),
    ("a method that takes a stream", "/package.Service/Collect", |_| {
        let headers = [("content-type", "application/grpc+proto"), ("grpc-encoding", "gzip")];
        answer(&headers, slow([data("\0\0\0\0"), data("\x01a"), grpc_status()]))
    }),
    ("trailers alone", "/package.Service/Stream", |_| {
        let headers = [("content-type", "application/grpc"), ("grpc-status", "5")];
        answer(&headers, slow([data("")]))
    }),
    ("gRPC-Web, unary", "/package.Service/Unary", |_| {
        let headers = [("content-type", "application/grpc-web+proto")];
        answer(&headers, slow([data("\0\0\0\0\x01a"), data("")]))
    }),
    ("Connect, a stream of requests", "/package.Service/Collect", |_| {
        let headers = [("content-type", "application/connect+json")];
        answer(&headers, slow([data("\0\0\0\0\x02{}"), data("\x02\0\0\0\x02{}"), data("")]))
    }),
    ("Connect, unary", "/package.Service/Stream", |_| {
        answer(&[("content-type", "application/proto")], slow([data("a"), data("")]))
    }),
    ("another codec", "/package.Service/Stream", |_| {
        let headers = [("content-type", "application/grpc+thrift")];
        answer(&headers, slow([data("\0\0\0\0\x01a"), grpc_status()]))
    }),
];

#[tokio::test]
async fn what_passes_on_http1_is_the_same_to_the_byte() {
    let compared = HTTP1.iter().map(|&(what, request, answer)| async move {
        let (with, without) =
            join(http1(layered(answer), request), http1(server(answer), request)).await;
        assert!(without.starts_with(b"HTTP/1.1 "), "{what}");
        assert_eq!(with.escape_ascii().to_string(), without.escape_ascii().to_string(), "{what}");
    });
    futures_util::future::join_all(compared).await;
}

#[tokio::test]
async fn what_passes_on_http2_is_the_same_to_the_byte() {
    let compared = HTTP2.iter().map(|&(what, path, answer)| async move {
        let (with, without) = join(http2(layered(answer), path), http2(server(answer), path)).await;
        assert!(without.len() > 30, "{what}");
        assert_eq!(with.escape_ascii().to_string(), without.escape_ascii().to_string(), "{what}");
    });
    futures_util::future::join_all(compared).await;
}

#[tokio::test]
async fn what_does_not_pass_is_not_the_same() {
    let answer: Answer = |_| answer(&[SSE], events());
    let (with, without) =
        join(http1(layered(answer), "GET /"), http1(server(answer), "GET /")).await;
    let chunks = with.escape_ascii().to_string().matches("2\\r\\n:\\n\\r\\n").count();
    assert!(chunks >= 2, "{}", with.escape_ascii());
    assert!(!without.windows(2).any(|bytes| bytes == b":\n"));

    let answer: Answer = |_| {
        let headers = [("content-type", "application/grpc")];
        self::answer(&headers, slow([data("\0\0\0\0\x01a"), grpc_status()]))
    };
    let path = "/package.Service/Stream";
    let (with, without) = join(http2(layered(answer), path), http2(server(answer), path)).await;
    assert!(with.len() >= without.len() + 2 * (9 + 5), "{}", with.escape_ascii());
}
