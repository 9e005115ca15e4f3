//! Clients of the proxy.

use std::error::Error;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::proxying::{Proxying, SOON};
use crate::upstream::read_head;

pub(crate) type AnyBody = BoxBody<Bytes, Box<dyn Error + Send + Sync>>;

pub(crate) fn empty() -> AnyBody {
    Empty::new().map_err(|never| match never {}).boxed()
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> AnyBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

pub(crate) fn get(path: &str) -> Request<AnyBody> {
    Request::get(format!("http://front.example{path}")).body(empty()).expect("a request")
}

/// An HTTP/2 connection to the proxy.
pub(crate) async fn h2(proxy: &Proxying) -> http2::SendRequest<AnyBody> {
    h2_over(proxy.connect().await).await
}

pub(crate) async fn h2_over(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> http2::SendRequest<AnyBody> {
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await;
    let (client, connection) = handshake.expect("HTTP/2");
    tokio::spawn(connection);
    client
}

/// An HTTP/1.1 connection to the proxy.
pub(crate) async fn h1(proxy: &Proxying) -> http1::SendRequest<AnyBody> {
    let io = TokioIo::new(proxy.connect().await);
    let (client, connection) = http1::handshake(io).await.expect("HTTP/1.1");
    tokio::spawn(connection.with_upgrades());
    client
}

/// Sends one request over HTTP/1.1 on a new connection.
pub(crate) async fn fetch(proxy: &Proxying, request: Request<AnyBody>) -> Response<Incoming> {
    let mut client = h1(proxy).await;
    timeout(SOON, client.send_request(request)).await.expect("soon").expect("a response")
}

pub(crate) async fn text(response: Response<Incoming>) -> String {
    let body = timeout(SOON, response.into_body().collect()).await.expect("soon");
    String::from_utf8(body.expect("a complete body").to_bytes().to_vec()).expect("text")
}

/// Sends these bytes. Returns the head and the body, which ends when the proxy closes the connection.
pub(crate) async fn exchange(proxy: &Proxying, request: &str) -> (String, Vec<u8>) {
    let mut connection = proxy.connect().await;
    connection.write_all(request.as_bytes()).await.expect("written");
    let reading = async {
        let head = read_head(&mut connection).await;
        let mut body = Vec::new();
        connection.read_to_end(&mut body).await.expect("closed");
        (head, body)
    };
    timeout(SOON, reading).await.expect("soon")
}
