//! The HTTP server: versions of HTTP, TLS, timeouts and limits.

#[allow(unreachable_pub, reason = "other test programs use the module too")]
#[path = "support/tls.rs"]
mod tls;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{future, io};

use axum::body::Body as AnyBody;
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures_util::{Stream, StreamExt, stream};
use heartbeat_proxy::http_server::{HttpServer, Peer, ServerOptions, StreamLimit};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use tls::Certificate;

/// A time limit for everything that needs no waiting. It is generous, for a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// Fits into the buffers for a client that does not read.
const LONG: usize = 240_000;

struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Server {
    async fn start(change: impl FnOnce(ServerOptions) -> ServerOptions) -> Self {
        let options = change(ServerOptions::new().with_idle_timeout(Duration::ZERO));
        let any_port = (Ipv4Addr::LOCALHOST, 0).into();
        let http = HttpServer::bind(any_port, &options).await.expect("a port and its files");
        let address = http.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let service = service(options.max_streams());
        let served = tokio::spawn(http.serve(service, async { drop(stopped.await) }));
        Self { address, stop: Some(stop), served }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connect")
    }

    fn stop(&mut self) {
        drop(self.stop.take());
    }

    async fn wait_for_shutdown(self) {
        timeout(SOON, self.served).await.expect("soon").expect("no panic");
    }
}

/// `/` responds with the version and the peer, `/quiet` sends one byte and stays open, `/echo` upgrades and echoes, `/long` has a
/// long response, `/upload` responds with the size of the request, `/unread-upload` does not read the request.
fn service(max_streams: u32) -> Router {
    let describe = |Extension(peer): Extension<Peer>, version: Version| async move {
        format!("{version:?} {} {}\n", peer.address.ip(), peer.tls)
    };
    let quiet = async || AnyBody::from_stream(one_byte_then_pending());
    let limit = StreamLimit::new(max_streams, |_| {
        let mut response = Response::new(AnyBody::from("too many\n"));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    });
    let router = Router::new().route("/", get(describe)).route("/quiet", get(quiet));
    let long = async || "x".repeat(LONG);
    let upload = async |body: Bytes| body.len().to_string();
    let unread_upload = async |_body: AnyBody| future::pending::<()>().await;
    let router = router.route("/echo", get(echo)).route("/long", get(long));
    router.route("/upload", post(upload)).route("/unread-upload", post(unread_upload)).layer(limit)
}

/// Upgrades the connection, and echoes what it receives.
async fn echo(mut request: Request<AnyBody>) -> Response<AnyBody> {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async {
        let io = TokioIo::new(upgraded.await.expect("upgraded"));
        let (mut from, mut to) = tokio::io::split(io);
        tokio::io::copy(&mut from, &mut to).await
    });
    let response = Response::builder().status(101).header("upgrade", "echo");
    response.header("connection", "upgrade").body(AnyBody::empty()).expect("a response")
}

fn one_byte_then_pending() -> impl Stream<Item = Result<&'static str, io::Error>> {
    stream::iter([Ok(".")]).chain(stream::pending())
}

/// Sends a request over HTTP/1.1, and reads up to `end`.
async fn send_get(io: &mut (impl AsyncRead + AsyncWrite + Unpin), path: &str, end: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n");
    io.write_all(request.as_bytes()).await.expect("written");
    read_until(io, end).await
}

async fn read_until(io: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut response = Vec::new();
    let reading = async {
        while !response.ends_with(end.as_bytes()) {
            response.push(io.read_u8().await.expect("more"));
        }
    };
    let read = timeout(SOON, reading).await;
    let response = String::from_utf8(response).expect("text");
    read.unwrap_or_else(|_| panic!("{response:?}"));
    response
}

/// Waits until the server closes the connection, and returns the elapsed time.
async fn until_closed(io: &mut (impl AsyncRead + Unpin)) -> Duration {
    let since = Instant::now();
    let reading = async { while io.read_u8().await.is_ok() {} };
    timeout(SOON, reading).await.expect("closed");
    since.elapsed()
}

async fn h2<B>(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> SendRequest<B>
where
    B: Body<Data: Send, Error = Infallible> + Unpin + Send + 'static,
{
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await;
    let (client, connection) = handshake.expect("HTTP/2");
    tokio::spawn(connection);
    client
}

fn request(path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("http://here{path}")).body(Empty::new()).expect("a request")
}

fn upload(path: &str, length: usize) -> Request<Full<Bytes>> {
    let body = Bytes::from(vec![b'x'; length]);
    Request::post(format!("http://here{path}")).body(Full::new(body)).expect("a request")
}

async fn text(response: Response<Incoming>) -> String {
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(body.to_vec()).expect("text")
}

#[tokio::test]
async fn http1_and_http2_share_a_port_and_requests_carry_their_peer() {
    let server = Server::start(|options| options).await;
    let mut connection = server.connect().await;
    for _ in 0..2 {
        let response = send_get(&mut connection, "/", "false\n").await;
        assert!(response.ends_with("HTTP/1.1 127.0.0.1 false\n"), "{response}");
    }
    let mut client = h2(server.connect().await).await;
    let response = client.send_request(request("/")).await.expect("a response");
    assert_eq!(text(response).await, "HTTP/2.0 127.0.0.1 false\n");
}

#[tokio::test]
async fn tls_negotiates_the_best_common_version() {
    let certificate = Certificate::new("served");
    let server = Server::start(|options| certificate.apply(options)).await;
    let mut connection = certificate.connect(server.address, &["http/1.1"]).await;
    let response = send_get(&mut connection, "/", "true\n").await;
    assert!(response.ends_with("HTTP/1.1 127.0.0.1 true\n"), "{response}");

    let connection = certificate.connect(server.address, &["http/1.1", "h2"]).await;
    assert_eq!(connection.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut client = h2(connection).await;
    let response = client.send_request(request("/")).await.expect("a response");
    assert_eq!(text(response).await, "HTTP/2.0 127.0.0.1 true\n");

    let mut plain = server.connect().await;
    plain.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await.expect("written");
    until_closed(&mut plain).await;
}

#[tokio::test]
async fn invalid_tls_files_are_rejected() {
    let certificate = Certificate::new("refused");
    let other = Certificate::new("other");
    let no_such = PathBuf::from("/no/such/file");
    for (cert, key, reason) in [
        (&no_such, &certificate.key, "cannot read certificates from /no/such/file (PEM)"),
        (&certificate.key, &certificate.key, "cannot read certificates"),
        (&certificate.cert, &certificate.cert, "cannot read a private key"),
        (&certificate.cert, &other.key, "cannot use the certificate and the private key for TLS"),
    ] {
        let options = ServerOptions::new().with_tls(cert, key);
        let error =
            HttpServer::bind((Ipv4Addr::LOCALHOST, 0).into(), &options).await.expect_err(reason);
        assert!(error.to_string().starts_with(reason), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_quiet_stream_is_not() {
    let certificate = Certificate::new("idle");
    let idle = Duration::from_millis(500);
    let server = Server::start(|options| options.with_idle_timeout(idle)).await;
    let tls = Server::start(|options| certificate.apply(options).with_idle_timeout(idle)).await;

    let mut streaming = server.connect().await;
    send_get(&mut streaming, "/quiet", "1\r\n.\r\n").await;
    let mut client = h2(server.connect().await).await;
    let mut streaming2 = client.send_request(request("/quiet")).await.expect("a response");

    for beginning in ["", "GET / HTTP/1.1\r\nhost:", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let mut silent = server.connect().await;
        silent.write_all(beginning.as_bytes()).await.expect("written");
        let elapsed = until_closed(&mut silent).await;
        assert!(elapsed >= idle * 4 / 5, "{beginning:?} after {elapsed:?}");
    }
    let mut waiting = server.connect().await;
    send_get(&mut waiting, "/", "false\n").await;
    until_closed(&mut waiting).await;
    let mut silent = tls.connect().await;
    until_closed(&mut silent).await;

    let mut reused = h2(server.connect().await).await;
    let response = reused.send_request(request("/")).await.expect("a response");
    text(response).await;
    timeout(SOON, async {
        while reused.ready().await.is_ok() {
            sleep(idle / 10).await;
        }
    })
    .await
    .expect("closed");

    let alive = timeout(Duration::from_millis(200), streaming.read_u8()).await;
    assert!(alive.is_err(), "neither data nor an end: {alive:?}");
    let frame = streaming2.body_mut().frame().await.expect("no end").expect("no error");
    assert_eq!(frame.into_data().expect("data"), ".");
    let alive = timeout(Duration::from_millis(200), streaming2.body_mut().frame()).await;
    assert!(alive.is_err(), "{alive:?}");
}

#[tokio::test]
async fn a_slow_reader_receives_the_whole_response() {
    let idle = Duration::from_millis(300);
    let server = Server::start(|options| options.with_idle_timeout(idle)).await;
    let connection = TokioIo::new(server.connect().await);
    let handshake = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(16 * 1024)
        .handshake(connection);
    let (mut client, connection) = handshake.await.expect("HTTP/2");
    tokio::spawn(connection);
    let response = client.send_request(request("/long")).await.expect("a response");
    // The server finishes the response long before the client has read it, which takes over two seconds.
    let (mut body, mut length) = (response.into_body(), 0);
    while let Some(frame) = timeout(SOON, body.frame()).await.expect("more, or the end") {
        length += frame.expect("not cut").into_data().expect("data").len();
        sleep(idle / 2).await;
    }
    assert_eq!(length, LONG);
}

#[tokio::test]
async fn a_large_head_gets_431() {
    let server = Server::start(|options| options.with_max_header_size(8 * 1024)).await;
    let long = "x".repeat(9000); // less than hyper's own limits
    let mut connection = server.connect().await;
    let head = format!("GET / HTTP/1.1\r\nhost: here\r\nlong: {long}\r\n\r\n");
    connection.write_all(head.as_bytes()).await.expect("written");
    let response = read_until(&mut connection, "\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 431 "), "{response}");

    let mut client = h2(server.connect().await).await;
    client.ready().await.expect("settings");
    let request = Request::get("http://here/").header("long", long);
    let request = request.body(Empty::<Bytes>::new());
    let response = client.send_request(request.expect("a request")).await.expect("a response");
    assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}

#[tokio::test]
async fn unread_uploads_do_not_block_other_streams() {
    let server = Server::start(|options| options).await;
    let mut client = h2(server.connect().await).await;
    for _ in 0..40 {
        tokio::spawn(client.send_request(upload("/unread-upload", 2 * 1024 * 1024)));
    }
    sleep(Duration::from_millis(500)).await; // the uploads fill their receive windows
    let response = timeout(SOON, client.send_request(upload("/upload", 1000))).await;
    assert_eq!(text(response.expect("soon").expect("a response")).await, "1000");
}

#[tokio::test]
async fn a_head_may_have_many_short_lines() {
    let server = Server::start(|options| options).await;
    for (count, status) in [(999, "200"), (1000, "431")] {
        let lines = "a: b\r\n".repeat(count);
        let mut connection = server.connect().await;
        let head = format!("GET / HTTP/1.1\r\nhost: here\r\n{lines}\r\n");
        connection.write_all(head.as_bytes()).await.expect("written");
        let response = read_until(&mut connection, "\r\n\r\n").await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{count}: {response}");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_without_delaying_the_shutdown() {
    let mut server = Server::start(|options| options.with_max_connections(1)).await;
    let mut first = server.connect().await;
    send_get(&mut first, "/", "false\n").await;
    let mut second = server.connect().await;
    let response = send_get(&mut second, "/", "false\n");
    let mut response = Box::pin(response);
    assert!(timeout(Duration::from_millis(300), &mut response).await.is_err(), "the server waits");
    drop(first);
    response.await;
    let mut third = server.connect().await;
    server.stop();
    until_closed(&mut second).await;
    until_closed(&mut third).await;
    server.wait_for_shutdown().await;
}

#[tokio::test]
async fn streams_beyond_the_limit_are_rejected_until_one_ends() {
    let server = Server::start(|options| options.with_max_streams(2)).await;
    let mut client = h2(server.connect().await).await;
    let first = client.send_request(request("/quiet")).await.expect("a response");
    let _second = client.send_request(request("/quiet")).await.expect("a response");
    let mut connection = server.connect().await;
    let response = send_get(&mut connection, "/quiet", "too many\n").await;
    assert!(response.starts_with("HTTP/1.1 503 "), "{response}");
    drop(first);
    let again = async {
        loop {
            let response = send_get(&mut connection, "/", "\n\r\n").await; // the head
            read_until(&mut connection, "\n").await;
            if response.starts_with("HTTP/1.1 200 ") {
                break;
            }
        }
    };
    timeout(SOON, again).await.expect("the permit is free again");
}

#[tokio::test]
async fn a_client_that_reads_no_rejection_gets_a_limited_number_of_streams() {
    let server = Server::start(|options| options.with_max_streams(1)).await;
    let handshake = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(0) // no body arrives, so no stream wait_for_shutdown
        .handshake(TokioIo::new(server.connect().await));
    let (mut client, connection) = handshake.await.expect("HTTP/2");
    tokio::spawn(connection);
    let (sender, mut responses) = mpsc::unbounded_channel();
    for _ in 0..300 {
        client.ready().await.expect("connected");
        let (response, sender) = (client.send_request(request("/quiet")), sender.clone());
        tokio::spawn(async move { sender.send(response.await.expect("a response")) });
    }
    let mut held = Vec::new();
    for _ in 0..101 {
        held.push(timeout(SOON, responses.recv()).await.expect("soon").expect("open"));
    }
    let more = timeout(Duration::from_millis(300), responses.recv()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn an_upgraded_connection_keeps_its_permit_until_it_closes() {
    let idle = Duration::from_millis(200);
    let mut server =
        Server::start(|options| options.with_max_connections(1).with_idle_timeout(idle)).await;
    let mut upgraded = server.connect().await;
    let head = "GET /echo HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    upgraded.write_all(head.as_bytes()).await.expect("written");
    let response = read_until(&mut upgraded, "\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 101 "), "{response}");

    let mut second = server.connect().await;
    let mut waiting = Box::pin(send_get(&mut second, "/", "false\n"));
    assert!(timeout(idle * 3, &mut waiting).await.is_err(), "the only permit is taken");
    upgraded.write_all(b"still there").await.expect("an upgraded connection is never idle");
    read_until(&mut upgraded, "still there").await;

    server.stop();
    assert!(
        timeout(idle, &mut server.served).await.is_err(),
        "the server waits for the upgraded connection"
    );
    drop(upgraded);
    server.wait_for_shutdown().await;
}

#[tokio::test]
async fn a_shutdown_closes_idle_connections_and_waits_for_streams() {
    let mut server = Server::start(|options| options).await;
    let mut idle = server.connect().await;
    send_get(&mut idle, "/", "false\n").await;
    let mut streaming = server.connect().await;
    send_get(&mut streaming, "/quiet", "1\r\n.\r\n").await;
    let mut client = h2(server.connect().await).await;
    let streaming2 = client.send_request(request("/quiet")).await.expect("a response");

    server.stop();
    until_closed(&mut idle).await;
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    timeout(SOON, refused).await.expect("the listener is closed");
    assert!(
        timeout(Duration::from_millis(200), &mut server.served).await.is_err(),
        "the server waits"
    );
    drop((streaming, streaming2));
    server.wait_for_shutdown().await;
}

#[tokio::test]
async fn a_client_that_ignores_the_graceful_shutdown_is_dropped() {
    let idle = Duration::from_millis(300);
    let mut server = Server::start(|options| options.with_idle_timeout(idle)).await;
    let mut silent = server.connect().await;
    silent
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .expect("written");
    sleep(Duration::from_millis(200)).await;
    server.stop();
    server.wait_for_shutdown().await;
}

#[tokio::test]
async fn dropping_the_future_closes_the_listener() {
    let any_port = (Ipv4Addr::LOCALHOST, 0).into();
    let server = HttpServer::bind(any_port, &ServerOptions::default()).await.expect("a port");
    let address = server.local_addr();
    let serving = server.serve(service(1), future::pending());
    assert!(timeout(Duration::from_millis(50), serving).await.is_err(), "it serves");
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(SOON, refused).await.expect("the listener is closed");
}
