//! A client for every protocol over both versions of HTTP, with its own decoders.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{HeaderMap, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::decode::{Decoder, Item};

pub const SUBSCRIBE: &str = "/galaxy.gateway.v1.GatewayService/Subscribe";

/// A time limit for everything that needs no waiting. It is generous, for a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

/// The protocol and the encoding of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireFormat {
    Grpc,
    GrpcWeb,
    GrpcWebText,
    ConnectProto,
    ConnectJson,
    Sse,
    Ndjson,
}

/// Each protocol over the versions of HTTP that support it.
pub const PROTOCOL_VERSIONS: [(WireFormat, Version); 13] = [
    (WireFormat::Grpc, Version::HTTP_2),
    (WireFormat::GrpcWeb, Version::HTTP_11),
    (WireFormat::GrpcWeb, Version::HTTP_2),
    (WireFormat::GrpcWebText, Version::HTTP_11),
    (WireFormat::GrpcWebText, Version::HTTP_2),
    (WireFormat::ConnectProto, Version::HTTP_11),
    (WireFormat::ConnectProto, Version::HTTP_2),
    (WireFormat::ConnectJson, Version::HTTP_11),
    (WireFormat::ConnectJson, Version::HTTP_2),
    (WireFormat::Sse, Version::HTTP_11),
    (WireFormat::Sse, Version::HTTP_2),
    (WireFormat::Ndjson, Version::HTTP_11),
    (WireFormat::Ndjson, Version::HTTP_2),
];

impl WireFormat {
    /// The content type of requests, and of responses that are messages.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Grpc => "application/grpc",
            Self::GrpcWeb => "application/grpc-web+proto",
            Self::GrpcWebText => "application/grpc-web-text+proto",
            Self::ConnectProto => "application/connect+proto",
            Self::ConnectJson => "application/connect+json",
            Self::Sse => "text/event-stream",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    /// A request for the events after this id.
    pub fn request(self, last: &str) -> Request<Full<Bytes>> {
        let message = SubscribeRequest { last_event_id: last.to_owned() }.encode_to_vec();
        match self {
            Self::Sse => get(&format!("/events?last_event_id={last}")),
            Self::Ndjson => get(&format!("/events.ndjson?last_event_id={last}")),
            Self::ConnectJson => {
                let message = serde_json::json!({ "lastEventId": last }).to_string();
                self.call(envelope(0, message.as_bytes()))
            }
            Self::GrpcWebText => {
                use base64::prelude::{BASE64_STANDARD, Engine};
                self.call(BASE64_STANDARD.encode(envelope(0, &message)))
            }
            _ => self.call(envelope(0, &message)),
        }
    }

    /// A call with this body.
    pub fn call(self, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        let request = Request::post(format!("http://here{SUBSCRIBE}"))
            .header("host", "here")
            .header("te", "trailers")
            .header("accept", self.content_type())
            .header("content-type", self.content_type());
        request.body(Full::new(body.into())).expect("a request")
    }
}

pub fn get(path: &str) -> Request<Full<Bytes>> {
    let request = Request::get(format!("http://here{path}")).header("host", "here");
    request.body(Full::default()).expect("a request")
}

pub fn envelope(flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short");
    [&[flags], &length.to_be_bytes()[..], payload].concat()
}

/// A response that is read item by item.
pub struct ResponseStream {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    decoder: Decoder,
    items: VecDeque<Item>,
    _connection: ClientConnection,
}

enum ClientConnection {
    Http1(
        #[expect(dead_code, reason = "keeps the connection open")] http1::SendRequest<Full<Bytes>>,
    ),
    Http2(
        #[expect(dead_code, reason = "keeps the connection open")] http2::SendRequest<Full<Bytes>>,
    ),
}

impl ResponseStream {
    pub async fn subscribe(
        server: SocketAddr,
        format: WireFormat,
        version: Version,
        last: &str,
    ) -> Self {
        Self::send(server, version, format.request(last)).await
    }

    /// Sends a request on a new connection.
    pub async fn send(server: SocketAddr, version: Version, request: Request<Full<Bytes>>) -> Self {
        let connection = TcpStream::connect(server).await.expect("connect");
        Self::send_on(connection, version, request).await
    }

    pub async fn send_on(
        connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        version: Version,
        mut request: Request<Full<Bytes>>,
    ) -> Self {
        let connection = TokioIo::new(connection);
        let (response, connection) = if version == Version::HTTP_2 {
            request.headers_mut().remove("host");
            let handshake = http2::handshake(TokioExecutor::new(), connection).await;
            let (mut sender, connection) = handshake.expect("HTTP/2");
            tokio::spawn(connection);
            let response = timeout(SOON, sender.send_request(request)).await;
            (response, ClientConnection::Http2(sender))
        } else {
            let (mut sender, connection) = http1::handshake(connection).await.expect("HTTP/1.1");
            tokio::spawn(connection);
            let response = timeout(SOON, sender.send_request(request)).await;
            (response, ClientConnection::Http1(sender))
        };
        let response: Response<Incoming> = response.expect("soon").expect("a response");
        assert_eq!(response.version(), version);
        let (head, body) = response.into_parts();
        let decoder = Decoder::of(&head.headers);
        let (status, headers) = (head.status, head.headers);
        Self { status, headers, body, decoder, items: VecDeque::new(), _connection: connection }
    }

    /// The next item. The last item is the end.
    pub async fn next(&mut self) -> Item {
        loop {
            if let Some(item) = self.items.pop_front() {
                return item;
            }
            match self.body.frame().await {
                None => self.items.push_back(self.decoder.end()),
                Some(Err(error)) => self.items.push_back(Item::Broken(error.to_string())),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.items.extend(self.decoder.feed(&data)),
                    Err(frame) => self.decoder.trailers(&frame.into_trailers().expect("trailers")),
                },
            }
        }
    }

    /// The next event; skips heartbeats.
    pub async fn event(&mut self) -> GatewayEvent {
        loop {
            match timeout(SOON, self.next()).await.expect("an event") {
                Item::Event(event) => return event,
                Item::Heartbeat => {}
                end => panic!("{end:?}"),
            }
        }
    }

    /// The end; skips heartbeats.
    pub async fn end(&mut self) -> Item {
        loop {
            match timeout(SOON, self.next()).await.expect("an end") {
                Item::Event(event) => panic!("no end, but {event:?}"),
                Item::Heartbeat => {}
                end => return end,
            }
        }
    }

    /// The body as text, for a response that is not a stream.
    pub async fn text(self) -> String {
        let body =
            timeout(SOON, self.body.collect()).await.expect("an end").expect("a complete body");
        String::from_utf8(body.to_bytes().to_vec()).expect("text")
    }
}

/// Decodes an event from JSON.
pub fn from_json(text: &str) -> GatewayEvent {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let json: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("{text:?}"));
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let bytes = |name: &str| BASE64_STANDARD.decode(text(name)).expect("base64").into();
    GatewayEvent {
        event_type: text("eventType"),
        event_id: text("eventId"),
        timestamp_ms: json["timestampMs"]
            .as_str()
            .map_or(0, |time| time.parse().expect("a number")),
        payload: bytes("payload"),
        payload_hash: bytes("payloadHash"),
        signature: bytes("signature"),
        key_id: text("keyId"),
    }
}
