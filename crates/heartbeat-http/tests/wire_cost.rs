//! Compares the cost model of `heartbeat-frame` with the bytes that are written to sockets.
//!
//! A server sends a body that consists of heartbeats. The virtual time advances to the next heartbeat when the
//! previous one has arrived, so two heartbeats never share a segment, and nothing else is written between them. All
//! tasks run on one thread, so the bytes are counted before they arrive.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{join, join_all};
use futures_util::{SinkExt, StreamExt, stream};
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_frame::cost::{self, Cost, Http, Ip, Transport};
use heartbeat_frame::{HeartbeatMessage, NdjsonHeartbeat, SseHeartbeat};
use heartbeat_http::{BodyFraming, HeartbeatBody};
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, client, server};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::yield_now;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{accept_async, client_async};
use tokio_util::io::InspectWriter;

const INTERVAL: Duration = Duration::from_secs(15);

/// The number of measured heartbeats.
const MEASURED: u64 = 10;
/// The number of heartbeats before them. Settings and window updates of the handshake are written by then.
const WARM_UP: u64 = 2;

/// One side of a connection, with or without TLS.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A server's certificate, and a client that trusts it.
struct Tls {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl Tls {
    fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
        let server = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("a certificate and its key");
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).expect("a certificate");
        let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Self { acceptor: Arc::new(server).into(), connector: Arc::new(client).into() }
    }
}

/// A connection over sockets, and the number of bytes that each side has written.
struct Connection {
    server: Box<dyn Io>,
    client: Box<dyn Io>,
    written: ByteCounters,
}

#[derive(Clone, Default)]
struct ByteCounters {
    server: Arc<AtomicU64>,
    client: Arc<AtomicU64>,
}

impl ByteCounters {
    fn now(&self) -> [u64; 2] {
        [&self.server, &self.client].map(|bytes| bytes.load(Ordering::Relaxed))
    }

    /// The bytes that each side has written since `start`.
    fn since(&self, start: [u64; 2]) -> [u64; 2] {
        let [server, client] = self.now();
        [server - start[0], client - start[1]]
    }
}

impl Connection {
    async fn new(tls: Option<&Tls>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("a bound listener");
        let client = TcpStream::connect(address).await.expect("connect");
        let (server, _) = listener.accept().await.expect("a client connects");

        let written = ByteCounters::default();
        let count = |socket, bytes: &Arc<AtomicU64>| {
            let bytes = Arc::clone(bytes);
            InspectWriter::new(socket, move |written: &[u8]| {
                bytes.fetch_add(written.len() as u64, Ordering::Relaxed);
            })
        };
        let (server, client) = (count(server, &written.server), count(client, &written.client));
        let Some(Tls { acceptor, connector }) = tls else {
            return Self { server: Box::new(server), client: Box::new(client), written };
        };
        let name = ServerName::try_from("localhost").expect("a name");
        let (server, client) = join(acceptor.accept(server), connector.connect(name, client)).await;
        let (server, client) =
            (server.expect("a handshake"), client.expect("a trusted certificate"));
        Self { server: Box::new(server), client: Box::new(client), written }
    }
}

/// Answers the request on a connection with an endless body of heartbeats.
async fn serve(io: Box<dyn Io>, http: Http, time: VirtualTime, framing: BodyFraming) {
    let service = service_fn(move |_: Request<Incoming>| {
        let silence = stream::pending::<Result<Frame<Bytes>, Infallible>>();
        let quiet = StreamBody::new(silence);
        let body = HeartbeatBody::new(quiet, time.clone(), INTERVAL, framing.clone());
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    let io = TokioIo::new(io);
    let served = match http {
        Http::Http1 => server::conn::http1::Builder::new().serve_connection(io, service).await,
        Http::Http2 => {
            let http = server::conn::http2::Builder::new(TokioExecutor::new());
            http.serve_connection(io, service).await
        }
    };
    served.expect("the client closes the connection at the end");
}

async fn request(io: Box<dyn Io>, http: Http) -> Incoming {
    let request = Request::get("http://localhost/").header("host", "localhost");
    let request = request.body(Empty::<Bytes>::new()).expect("a request");
    let io = TokioIo::new(io);
    let response = match http {
        Http::Http1 => {
            let (mut http, connection) =
                client::conn::http1::handshake(io).await.expect("a handshake");
            tokio::spawn(connection);
            http.send_request(request).await
        }
        Http::Http2 => {
            let handshake = client::conn::http2::handshake(TokioExecutor::new(), io);
            let (mut http, connection) = handshake.await.expect("a handshake");
            tokio::spawn(connection);
            http.send_request(request).await
        }
    };
    response.expect("a response").into_body()
}

/// The bytes that server and client write for the measured heartbeats.
async fn measure(heartbeat: &HeartbeatCase, http: Http, tls: Option<&Tls>) -> [u64; 2] {
    let Connection { server, client, written } = Connection::new(tls).await;
    let time = VirtualTime::new();
    tokio::spawn(serve(server, http, time.clone(), heartbeat.framing.clone()));
    let mut body = request(client, http).await;

    let mut start = [0; 2];
    for number in 0..WARM_UP + MEASURED {
        if number == WARM_UP {
            start = written.now();
        }
        while time.next_deadline().is_none() {
            yield_now().await; // until the body is polled
        }
        time.advance(INTERVAL);
        let mut arrived = Vec::new();
        while arrived.len() < heartbeat.bytes.len() {
            let frame = body.frame().await.expect("no end").expect("no error");
            arrived.extend(frame.into_data().expect("no trailers"));
        }
        assert_eq!(arrived.escape_ascii().to_string(), heartbeat.bytes.escape_ascii().to_string());
    }
    written.since(start)
}

/// A heartbeat, its predicted frame, and the framing that sends it.
struct HeartbeatCase {
    name: &'static str,
    bytes: Bytes,
    frame: cost::Frame,
    framing: BodyFraming,
}

impl HeartbeatCase {
    fn envelope(
        name: &'static str,
        message: &HeartbeatMessage,
        framing: fn(&HeartbeatMessage) -> BodyFraming,
    ) -> Self {
        let (bytes, frame) = (message.envelope(), cost::Frame::envelope(message));
        Self { name, bytes, frame, framing: framing(message) }
    }

    fn base64(name: &'static str, message: &HeartbeatMessage) -> Self {
        let (bytes, frame) = (message.envelope_base64(), cost::Frame::envelope_base64(message));
        Self { name, bytes, frame, framing: BodyFraming::grpc_web_text(message) }
    }

    fn sse(name: &'static str, heartbeat: &SseHeartbeat) -> Self {
        let (bytes, frame) = (heartbeat.bytes(), cost::Frame::sse(heartbeat));
        Self { name, bytes, frame, framing: BodyFraming::sse(heartbeat) }
    }

    fn ndjson(name: &'static str, heartbeat: NdjsonHeartbeat) -> Self {
        let (bytes, frame) = (heartbeat.bytes(), cost::Frame::ndjson(heartbeat));
        Self { name, bytes, frame, framing: BodyFraming::ndjson(heartbeat) }
    }

    fn all() -> Vec<Self> {
        let (message, empty) = (HeartbeatMessage::gateway_event(), HeartbeatMessage::empty());
        let message_with = |payload| HeartbeatMessage::from_payload(payload).expect("short");
        let json = message_with(r#"{"eventType":"gateway.heartbeat"}"#.into());
        let (long, longest) =
            (message_with("x".repeat(1000)), message_with("x".repeat(16_375 - 5)));
        let comment = |text| SseHeartbeat::comment(text).expect("a line");
        let block = SseHeartbeat::comment_block("").expect("a line");
        let event = SseHeartbeat::event("heartbeat", "").expect("lines");
        vec![
            Self::envelope("gRPC", &message, BodyFraming::grpc),
            Self::envelope("gRPC, empty", &empty, BodyFraming::grpc),
            Self::envelope("gRPC, long", &long, BodyFraming::grpc),
            Self::envelope("gRPC, the longest in one HTTP/2 frame", &longest, BodyFraming::grpc),
            Self::envelope("gRPC-Web", &message, BodyFraming::grpc_web),
            Self::base64("gRPC-Web-text", &message),
            Self::base64("gRPC-Web-text, empty", &empty),
            Self::envelope("Connect", &message, BodyFraming::connect),
            Self::envelope("Connect, JSON", &json, BodyFraming::connect),
            Self::sse("SSE, a comment", &SseHeartbeat::default()),
            Self::sse("SSE, a comment with text", &comment("still here")),
            Self::sse("SSE, a comment and a blank line", &block),
            Self::sse("SSE, an event", &event),
            Self::ndjson("NDJSON, a blank line", NdjsonHeartbeat::BlankLine),
            Self::ndjson("NDJSON, a space", NdjsonHeartbeat::Space),
        ]
    }
}

/// Compares the measured with the predicted cost of each heartbeat.
async fn compare_all(http: Http, tls: Option<&Tls>) {
    let transport = Transport { http, tls: tls.is_some(), ip: Ip::V4 };
    let compared = HeartbeatCase::all().into_iter().map(|heartbeat| async move {
        let predicted = MEASURED * Cost::new(heartbeat.frame, transport).wire_bytes();
        assert_eq!(measure(&heartbeat, http, tls).await, [predicted, 0], "{}", heartbeat.name);
    });
    join_all(compared).await;
}

#[tokio::test]
async fn http1_cost_is_as_predicted() {
    compare_all(Http::Http1, None).await;
}

#[tokio::test]
async fn http1_over_tls_cost_is_as_predicted() {
    compare_all(Http::Http1, Some(&Tls::new())).await;
}

#[tokio::test]
async fn http2_cost_is_as_predicted() {
    compare_all(Http::Http2, None).await;
}

#[tokio::test]
async fn http2_over_tls_cost_is_as_predicted() {
    compare_all(Http::Http2, Some(&Tls::new())).await;
}

/// The bytes that server and client write for the measured Pings of a WebSocket.
async fn measure_pings(tls: Option<&Tls>) -> [u64; 2] {
    let Connection { server, client, written } = Connection::new(tls).await;
    tokio::spawn(async {
        let (mut socket, _) = client_async("ws://localhost/", client).await.expect("a WebSocket");
        while let Some(Ok(_)) = socket.next().await {} // answers Pings too
    });
    let mut socket = accept_async(server).await.expect("a WebSocket");
    let mut start = [0; 2];
    for number in 0..WARM_UP + MEASURED {
        if number == WARM_UP {
            start = written.now();
        }
        socket.send(Message::Ping(Bytes::new())).await.expect("an open connection");
        let answer = socket.next().await.expect("an open connection").expect("no error");
        assert_eq!(answer, Message::Pong(Bytes::new()));
    }
    written.since(start)
}

#[tokio::test]
async fn websocket_ping_cost_is_as_predicted() {
    for tls in [None, Some(&Tls::new())] {
        let transport = Transport { http: Http::Http1, tls: tls.is_some(), ip: Ip::V4 };
        let cost = Cost::new(cost::Frame::ping(), transport);
        let pong = cost.answer_bytes - cost.tcp_ip_bytes; // the Pong shares a segment with the acknowledgement
        let predicted = [cost.wire_bytes(), pong].map(|bytes| MEASURED * bytes);
        assert_eq!(measure_pings(tls).await, predicted);
    }
}
