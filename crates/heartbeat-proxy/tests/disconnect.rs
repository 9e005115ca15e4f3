//! HTTP/1.1 clients that close their connection, or its sending half, while bytes from them are unread.
#![cfg(target_os = "linux")]

#[allow(unreachable_pub, reason = "other test programs use the module too")]
#[path = "support/tls.rs"]
mod tls;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::{any, get};
use futures_util::stream;
use heartbeat_proxy::http_server::{HttpServer, ServerOptions};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use tls::Certificate;

/// A time limit for everything that needs no waiting. It is generous, for a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// More than hyper reads ahead, less than the buffers of a socket hold.
const MUCH: usize = 100_000;

/// A server whose handlers report what happens to their requests.
struct Server {
    address: SocketAddr,
    events: mpsc::UnboundedReceiver<&'static str>,
}

/// Reports the end of a request.
struct Dropped(mpsc::UnboundedSender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

impl Server {
    async fn start(options: &ServerOptions, half_close: bool) -> Self {
        let http = HttpServer::bind((Ipv4Addr::LOCALHOST, 0).into(), options).await;
        let http = http.expect("a port and its files").with_half_close(half_close);
        let address = http.local_addr();
        let (sender, events) = mpsc::unbounded_channel();
        tokio::spawn(http.serve(router(&sender), std::future::pending()));
        Self { address, events }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connect")
    }

    async fn event(&mut self) -> &'static str {
        timeout(SOON, self.events.recv()).await.expect("soon").expect("an event")
    }
}

/// `/quiet` has a response without an end, `/never` has none, `/upgrade` upgrades and responds with the number of bytes
/// that it receives.
fn router(events: &mpsc::UnboundedSender<&'static str>) -> Router {
    let sender = events.clone();
    let quiet = async move |_: Request<Body>| {
        let dropped = Dropped(sender.clone());
        let pieces = stream::unfold((true, dropped), async |(first, dropped)| {
            if !first {
                std::future::pending::<()>().await;
            }
            Some((io::Result::Ok("."), (false, dropped)))
        });
        Body::from_stream(pieces)
    };
    let sender = events.clone();
    let never = async move || {
        let _dropped = Dropped(sender.clone());
        sender.send("started").expect("the test runs");
        std::future::pending::<()>().await;
    };
    let upgrade = async |mut request: Request<Body>| {
        let upgraded = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgraded.await.expect("upgraded"));
            let mut received = Vec::new();
            io.read_to_end(&mut received).await.expect("received");
            io.write_all(received.len().to_string().as_bytes()).await.expect("written");
            io.shutdown().await.expect("closed");
        });
        let response = Response::builder().status(101).header("upgrade", "bytes");
        response.header("connection", "upgrade").body(Body::empty()).expect("a response")
    };
    Router::new()
        .route("/quiet", any(quiet))
        .route("/never", get(never))
        .route("/upgrade", get(upgrade))
}

async fn read_until(io: &mut (impl AsyncRead + Unpin), end: &str) {
    let mut response = Vec::new();
    let reading = async {
        while !response.ends_with(end.as_bytes()) {
            response.push(io.read_u8().await.expect("more"));
        }
    };
    timeout(SOON, reading).await.expect("soon");
}

/// The bytes that follow a request before its client closes.
fn trailing_bytes() -> [Vec<u8>; 3] {
    let request = b"GET /quiet HTTP/1.1\r\nhost: here\r\n\r\n";
    [b"\r\n".to_vec(), request.to_vec(), vec![b'x'; MUCH]]
}

/// Sends a request and further bytes, and closes the connection when the response has started.
async fn leave_quiet_stream(mut io: impl AsyncRead + AsyncWrite + Unpin, trailing: &[u8]) {
    let request = b"POST /quiet HTTP/1.1\r\nhost: here\r\ncontent-length: 1\r\n\r\nx";
    io.write_all(&[request, trailing].concat()).await.expect("written");
    read_until(&mut io, "\r\n.\r\n").await;
    io.shutdown().await.expect("closed");
}

#[tokio::test]
async fn a_quiet_response_ends_when_its_client_closes() {
    let mut server = Server::start(&ServerOptions::new(), false).await;
    for trailing in trailing_bytes() {
        leave_quiet_stream(server.connect().await, &trailing).await;
        assert_eq!(server.event().await, "dropped", "{} bytes", trailing.len());
    }
}

#[tokio::test]
async fn a_quiet_response_over_tls_ends_when_its_client_closes() {
    let certificate = Certificate::new("disconnect");
    let mut server = Server::start(&certificate.apply(ServerOptions::new()), false).await;
    for trailing in trailing_bytes() {
        let connection = certificate.connect(server.address, &["http/1.1"]).await;
        leave_quiet_stream(connection, &trailing).await;
        assert_eq!(server.event().await, "dropped", "{} bytes", trailing.len());
    }
}

#[tokio::test]
async fn a_request_without_a_response_ends_when_its_client_closes() {
    let mut server = Server::start(&ServerOptions::new(), false).await;
    for trailing in trailing_bytes() {
        let mut client = server.connect().await;
        let request = b"GET /never HTTP/1.1\r\nhost: here\r\n\r\n";
        client.write_all(&[&request[..], &trailing].concat()).await.expect("written");
        assert_eq!(server.event().await, "started");
        drop(client);
        assert_eq!(server.event().await, "dropped", "{} bytes", trailing.len());
    }
}

#[tokio::test]
async fn with_half_close_a_closed_sending_half_ends_no_response() {
    let mut server = Server::start(&ServerOptions::new(), true).await;
    for trailing in trailing_bytes() {
        let mut client = server.connect().await;
        leave_quiet_stream(&mut client, &trailing).await;
        let quiet = timeout(Duration::from_millis(100), client.read_u8()).await;
        assert!(quiet.is_err(), "neither data nor an end: {quiet:?}");
        assert!(server.events.try_recv().is_err());
    }
}

#[tokio::test]
async fn an_upgraded_connection_is_read_to_its_end() {
    let server = Server::start(&ServerOptions::new(), false).await;
    let mut client = server.connect().await;
    let head =
        b"GET /upgrade HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: bytes\r\n\r\n";
    client.write_all(head).await.expect("written");
    read_until(&mut client, "\r\n\r\n").await;
    client.write_all(&vec![b'x'; MUCH]).await.expect("written");
    client.shutdown().await.expect("closed");
    let mut length = String::new();
    timeout(SOON, client.read_to_string(&mut length)).await.expect("soon").expect("not reset");
    assert_eq!(length, MUCH.to_string());
}
