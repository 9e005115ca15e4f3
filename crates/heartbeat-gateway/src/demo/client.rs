//! A client for each protocol. It only distinguishes events from heartbeats.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::net::TcpStream;
use tonic::Streaming;

use super::protocol::DemoProtocol;
use heartbeat_frame::service::gateway_service_client::GatewayServiceClient;

/// An item that a client receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Received {
    /// An event with this id.
    Event(String),
    Heartbeat,
}

/// An open stream.
#[derive(Debug)]
pub(super) enum DemoStream {
    /// tonic's client.
    Grpc(Streaming<GatewayEvent>),
    /// hyper's, over HTTP/1.1.
    Http(HttpStream),
}

#[derive(Debug)]
pub(super) struct HttpStream {
    body: Incoming,
    reader: Reader,
    received: VecDeque<Received>,
    /// The connection closes when the sender is dropped.
    _connection: SendRequest<Full<Bytes>>,
}

impl DemoStream {
    /// Connects and subscribes to the events from now on.
    pub(super) async fn open(protocol: DemoProtocol, server: SocketAddr) -> io::Result<Self> {
        let reader = match protocol {
            DemoProtocol::Grpc => {
                let client = GatewayServiceClient::connect(format!("http://{server}")).await;
                let mut client = client.map_err(io::Error::other)?;
                let events = client.subscribe(SubscribeRequest::default()).await;
                return Ok(Self::Grpc(events.map_err(io::Error::other)?.into_inner()));
            }
            DemoProtocol::GrpcWeb | DemoProtocol::Connect => Reader::new(envelope),
            DemoProtocol::Sse => Reader::new(sse_line),
            DemoProtocol::Ndjson => Reader::new(ndjson_line),
        };
        let connection = TokioIo::new(TcpStream::connect(server).await?);
        let (mut sender, connection) =
            http1::handshake(connection).await.map_err(io::Error::other)?;
        tokio::spawn(connection); // ends with the response
        let request = request(protocol, server).map_err(io::Error::other)?;
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        if !response.status().is_success() {
            return Err(io::Error::other(format!("unexpected status {}", response.status())));
        }
        let (body, received) = (response.into_body(), VecDeque::new());
        Ok(Self::Http(HttpStream { body, reader, received, _connection: sender }))
    }

    /// The next item; `None` after an end or an error.
    pub(super) async fn next(&mut self) -> Option<Received> {
        match self {
            Self::Grpc(events) => {
                let event = events.message().await.ok()??;
                Some(received(event))
            }
            Self::Http(response) => loop {
                if let Some(received) = response.received.pop_front() {
                    return Some(received);
                }
                let frame = response.body.frame().await?.ok()?;
                if let Ok(bytes) = frame.into_data() {
                    response.received.extend(response.reader.feed(&bytes));
                }
            },
        }
    }
}

fn request(
    protocol: DemoProtocol,
    server: SocketAddr,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let (method, path, content_type) = match protocol {
        DemoProtocol::Sse => (Method::GET, "/events", None),
        DemoProtocol::Ndjson => (Method::GET, "/events.ndjson", None),
        DemoProtocol::Connect => (Method::POST, SUBSCRIBE, Some("application/connect+proto")),
        DemoProtocol::Grpc | DemoProtocol::GrpcWeb => {
            (Method::POST, SUBSCRIBE, Some("application/grpc-web"))
        }
    };
    let request = Request::builder().method(method).uri(path).header(HOST, server.to_string());
    match content_type {
        None => request.body(Full::default()),
        // The envelope of an empty request.
        Some(content_type) => request
            .header(CONTENT_TYPE, content_type)
            .body(Full::new(Bytes::from_static(&[0; HEADER_LEN]))),
    }
}

const SUBSCRIBE: &str = "/galaxy.gateway.v1.GatewayService/Subscribe";

/// Size of the header of an envelope: one byte of flags and four bytes of length.
const HEADER_LEN: usize = 5;

fn received(event: GatewayEvent) -> Received {
    if event.is_heartbeat() { Received::Heartbeat } else { Received::Event(event.event_id) }
}

/// Decodes the chunks of a body.
#[derive(Debug)]
struct Reader {
    /// An incomplete item.
    rest: Vec<u8>,
    read: fn(&[u8]) -> Option<Decoded>,
}

/// The length and the content of the first complete item.
type Decoded = (usize, Option<Received>);

impl Reader {
    fn new(read: fn(&[u8]) -> Option<Decoded>) -> Self {
        Self { rest: Vec::new(), read }
    }

    fn feed(&mut self, bytes: &[u8]) -> Vec<Received> {
        self.rest.extend_from_slice(bytes);
        let mut all = Vec::new();
        while let Some((length, received)) = (self.read)(&self.rest) {
            self.rest.drain(..length);
            all.extend(received);
        }
        all
    }
}

fn envelope(bytes: &[u8]) -> Option<Decoded> {
    let ([flags, length @ ..], after) = bytes.split_first_chunk::<HEADER_LEN>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let message = after.get(..length)?;
    let is_message = *flags == 0; // other flags mark the end of the stream
    // An invalid message becomes an event without an id, which counts as misplaced.
    let event = is_message.then(|| received(GatewayEvent::decode(message).unwrap_or_default()));
    Some((HEADER_LEN + length, event))
}

fn sse_line(bytes: &[u8]) -> Option<Decoded> {
    let (length, line) = line(bytes)?;
    let received = if line.starts_with(':') {
        Some(Received::Heartbeat)
    } else {
        line.strip_prefix("id: ").map(|id| Received::Event(id.to_owned()))
    };
    Some((length, received))
}

fn ndjson_line(bytes: &[u8]) -> Option<Decoded> {
    let (length, line) = line(bytes)?;
    let received = if line.is_empty() {
        Received::Heartbeat
    } else {
        let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        Received::Event(event["eventId"].as_str().unwrap_or_default().to_owned())
    };
    Some((length, Some(received)))
}

/// The first line without its line end, and its length with it.
fn line(bytes: &[u8]) -> Option<(usize, String)> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    Some((end + 1, String::from_utf8_lossy(&bytes[..end]).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_is_decoded_with_any_chunks() {
        let real = GatewayEvent { event_id: "7".to_owned(), ..GatewayEvent::default() };
        let in_envelope = |flags, payload: &[u8]| {
            let length = u32::try_from(payload.len()).expect("short");
            [&[flags], &length.to_be_bytes()[..], payload].concat()
        };
        let heartbeat = GatewayEvent::heartbeat().encode_to_vec();
        let messages = [
            in_envelope(0, &real.encode_to_vec()),
            in_envelope(0, &heartbeat),
            in_envelope(2, b"{}"),
        ];
        for (mut reader, bytes) in [
            (Reader::new(envelope), messages.concat()),
            (Reader::new(sse_line), b"id: 7\nevent: a\ndata: {\"id: \": 1}\n\n:\n".to_vec()),
            (Reader::new(ndjson_line), b"{\"eventId\":\"7\"}\n\n".to_vec()),
        ] {
            let all: Vec<_> = bytes.iter().flat_map(|&byte| reader.feed(&[byte])).collect();
            assert_eq!(all, [Received::Event("7".to_owned()), Received::Heartbeat]);
            assert!(reader.rest.is_empty());
            assert_eq!(reader.feed(&bytes), all, "in one chunk");
        }
    }

    #[test]
    fn an_invalid_item_is_an_event_without_id() {
        let without_id = [Received::Event(String::new())];
        assert_eq!(Reader::new(envelope).feed(b"\0\0\0\0\x01\xff"), without_id);
        assert_eq!(Reader::new(ndjson_line).feed(b"nonsense\n"), without_id);
    }
}
