//! What an upstream sends before it breaks off reaches the client.

use std::future::{poll_fn, ready};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use h2::server::SendResponse;
use h2::{Ping, PingPong, Reason};
use heartbeat_proxy::http_server::{HttpServer, ServerOptions};
use heartbeat_proxy::{HeartbeatPolicy, Proxy};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

/// Runs of each form. They fail at random where something is lost.
const RUNS: usize = 100;
/// Runs at the same time.
const AT_ONCE: usize = 10;
const SOON: Duration = Duration::from_secs(60);

/// How the upstream sends its events and breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BreaksOff {
    /// After the head and all events in one write.
    AtOnce,
    /// The events follow the head after a pause.
    PauseAfterHead,
    /// The other events follow the first after a pause.
    PauseAfterFirst,
    /// By a reset.
    Reset,
    /// After the head.
    HeadAlone,
    /// After the head of a body with a length.
    HeadWithLength,
    /// After more than fits into the buffers between upstream and client.
    Long,
}

const FORMS: [BreaksOff; 7] = [
    BreaksOff::AtOnce,
    BreaksOff::PauseAfterHead,
    BreaksOff::PauseAfterFirst,
    BreaksOff::Reset,
    BreaksOff::HeadAlone,
    BreaksOff::HeadWithLength,
    BreaksOff::Long,
];

impl BreaksOff {
    fn of_path(path: &str) -> Self {
        let form = FORMS.into_iter().find(|form| path == format!("/{form:?}"));
        form.expect("a form")
    }

    /// The events, of 100 bytes each.
    fn events(self) -> Vec<String> {
        let count = match self {
            Self::HeadAlone | Self::HeadWithLength => 0,
            Self::Long => 10_000,
            _ => 5,
        };
        (0..count).map(|number| format!("data: {number:092}\n\n")).collect()
    }

    /// The pieces that are sent with a pause between them: of the events, whether the head goes before.
    fn pieces(self) -> Vec<String> {
        let events = self.events();
        match self {
            Self::PauseAfterHead => vec![String::new(), events.concat()],
            Self::PauseAfterFirst => vec![events[0].clone(), events[1..].concat()],
            _ => vec![events.concat()],
        }
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

/// An upstream that breaks off as the path of the request says.
async fn http1_upstream() -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.expect("a connection");
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(connection.read_u8().await.expect("a request"));
                }
                let request = String::from_utf8(request).expect("text");
                let form = BreaksOff::of_path(request.split(' ').nth(1).expect("a path"));
                let length = match form {
                    BreaksOff::HeadWithLength => "content-length: 10",
                    _ => "transfer-encoding: chunked",
                };
                let mut sent = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{length}\r\n\r\n"
                );
                for piece in form.pieces() {
                    if !piece.is_empty() {
                        sent = format!("{sent}{:x}\r\n{piece}\r\n", piece.len());
                    }
                    connection.write_all(sent.as_bytes()).await.expect("sent");
                    sent.clear();
                    sleep(Duration::from_millis(5)).await;
                }
                if form == BreaksOff::Reset {
                    SockRef::from(&connection).set_linger(Some(Duration::ZERO)).expect("a socket");
                }
            });
        }
    });
    address
}

/// The same over HTTP/2: it resets the stream.
async fn http2_upstream() -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.expect("a connection");
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(connection).await.expect("HTTP/2");
                let pings = connection.ping_pong().expect("taken once");
                let pings = Arc::new(Mutex::new(pings));
                while let Some(Ok((request, respond))) = connection.accept().await {
                    let form = BreaksOff::of_path(request.uri().path());
                    tokio::spawn(reset_after_events(form, respond, Arc::clone(&pings)));
                }
            });
        }
    });
    address
}

async fn reset_after_events(
    form: BreaksOff,
    mut respond: SendResponse<Bytes>,
    pings: Arc<Mutex<PingPong>>,
) {
    let head = Response::builder().header("content-type", "text/event-stream");
    let mut stream = respond.send_response(head.body(()).expect("a head"), false).expect("sent");
    for piece in form.pieces() {
        if !piece.is_empty() {
            stream.send_data(Bytes::from(piece), false).expect("sent");
        }
        sleep(Duration::from_millis(5)).await;
    }
    // h2 discards what it has not sent, too: wait until all fits into the window, and for an answer.
    stream.reserve_capacity(1);
    while stream.capacity() == 0 {
        let capacity = poll_fn(|cx| stream.poll_capacity(cx)).await;
        capacity.expect("an open stream").expect("an open stream");
    }
    pings.lock().await.ping(Ping::opaque()).await.expect("an answer");
    stream.send_reset(Reason::INTERNAL_ERROR);
}

/// Starts a proxy.
async fn proxy_to(upstream: SocketAddr, http2: bool) -> SocketAddr {
    let proxy = Proxy::builder(format!("http://{upstream}").parse().expect("a URL"))
        .heartbeats(HeartbeatPolicy::new(Duration::from_secs(3600)))
        .upstream_http2(http2)
        .build();
    let any_port = (Ipv4Addr::LOCALHOST, 0).into();
    let server = HttpServer::bind(any_port, &ServerOptions::new()).await.expect("a port");
    let address = server.local_addr();
    tokio::spawn(server.serve(proxy, std::future::pending()));
    address
}

/// A client whose socket holds little, so that a slow reader slows down the proxy.
fn connect(to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a socket");
    socket.connect(&to.into()).expect("connects");
    socket.set_nonblocking(true).expect("a socket");
    TcpStream::from_std(socket.into()).expect("a socket")
}

/// What an HTTP/1.1 client reads until the end of the connection: without the head and the sizes of the chunks.
async fn read_http1(proxy: SocketAddr, form: BreaksOff) -> String {
    let mut connection = connect(proxy);
    let request = format!("GET /{form:?} HTTP/1.1\r\nhost: here\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("sent");
    let mut response = Vec::new();
    while connection.read_buf(&mut response).await.is_ok_and(|read| read > 0) {
        if form == BreaksOff::Long && response.len() < 100_000 {
            sleep(Duration::from_millis(1)).await; // a slow reader
        }
    }
    let response = String::from_utf8(response).expect("text");
    let Some((head, mut body)) = response.split_once("\r\n\r\n") else {
        return "no head".to_owned();
    };
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("the size of a chunk");
        assert_ne!(size, 0, "the response looks complete");
        let (chunk, rest) = rest.split_at(size.min(rest.len()));
        text += chunk;
        body = rest.strip_prefix("\r\n").unwrap_or_default();
    }
    text
}

/// What an HTTP/2 client reads until the error.
async fn read_http2(proxy: SocketAddr, form: BreaksOff) -> String {
    let handshake = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(if form.events().is_empty() { 0 } else { 10_000 })
        .handshake(TokioIo::new(connect(proxy)));
    let (mut client, connection) = handshake.await.expect("HTTP/2");
    tokio::spawn(connection);
    let request = Request::get(format!("http://here/{form:?}")).body(Empty::<Bytes>::new());
    let Ok(response) = client.send_request(request.expect("a request")).await else {
        return "no head".to_owned();
    };
    assert_eq!(response.status(), 200);
    let (mut body, mut text) = (response.into_body(), Vec::new());
    loop {
        match body.frame().await.expect("no complete response") {
            Ok(frame) => text.extend(frame.into_data().expect("data")),
            Err(_) => return String::from_utf8(text).expect("text"),
        }
    }
}

/// Runs each form with each client, and expects all events.
async fn nothing_is_lost(upstream: SocketAddr, http2: bool) {
    let proxy = proxy_to(upstream, http2).await;
    let mut incomplete = Vec::new();
    for form in FORMS.into_iter().filter(|form| !http2 || *form != BreaksOff::HeadWithLength) {
        let runs = if form == BreaksOff::Long { RUNS / 10 } else { RUNS };
        let events = form.events().concat();
        for client in ["HTTP/1.1", "HTTP/2"] {
            let read = |_| async move {
                let reading = async {
                    match client {
                        "HTTP/1.1" => read_http1(proxy, form).await,
                        _ => read_http2(proxy, form).await,
                    }
                };
                timeout(SOON, reading).await.unwrap_or_else(|_| "timeout".to_owned())
            };
            let read = stream::iter(0..runs).map(read).buffer_unordered(AT_ONCE);
            let incomplete_runs = read.filter(|text| ready(*text != events)).count().await;
            if incomplete_runs > 0 {
                incomplete.push(format!("{form:?} to {client}: {incomplete_runs} of {runs}"));
            }
        }
    }
    assert!(incomplete.is_empty(), "{incomplete:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_http1_upstream_sends_before_it_breaks_off_is_delivered() {
    nothing_is_lost(http1_upstream().await, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_http2_upstream_sends_before_it_breaks_off_is_delivered() {
    nothing_is_lost(http2_upstream().await, true).await;
}

/// The status, the body and whether it is complete, of a response over HTTP/1.1.
async fn fetch_http1(proxy: SocketAddr) -> String {
    let mut connection = connect(proxy);
    let request =
        b"POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: 10\r\n\r\nhalf ";
    connection.write_all(request).await.expect("sent");
    let mut response = String::new();
    timeout(SOON, connection.read_to_string(&mut response)).await.expect("soon").expect("text");
    response
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_without_an_error_ends_only_a_complete_response() {
    for complete in [false, true] {
        let (listener, upstream) = listen().await;
        tokio::spawn(async move {
            let (connection, _) = listener.accept().await.expect("a connection");
            let mut connection = h2::server::handshake(connection).await.expect("HTTP/2");
            let mut pings = connection.ping_pong().expect("taken once");
            let (_request, mut respond) =
                connection.accept().await.expect("a request").expect("HTTP/2");
            tokio::spawn(async move { while connection.accept().await.is_some() {} });
            let mut stream = respond.send_response(Response::new(()), false).expect("sent");
            stream.send_data(Bytes::from_static(b"data"), complete).expect("sent");
            pings.ping(Ping::opaque()).await.expect("an answer"); // all is sent
            stream.send_reset(Reason::NO_ERROR);
        });
        let proxy = proxy_to(upstream, true).await;
        let response = fetch_http1(proxy).await;
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        assert_eq!(response.ends_with("\r\n0\r\n\r\n"), complete, "{response}");
    }
}
