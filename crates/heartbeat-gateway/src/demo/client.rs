//! A client of each protocol, as far as the demonstration asks: which events come, and which heartbeats.

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

use super::protocol::Protocol;
use crate::proto::gateway_service_client::GatewayServiceClient;

/// What a client receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Received {
    /// A real event, by its id.
    Event(String),
    Heartbeat,
}

/// A stream that has been opened.
#[derive(Debug)]
pub(super) enum Subscription {
    /// tonic's client.
    Grpc(Streaming<GatewayEvent>),
    /// hyper's, over HTTP/1.1.
    Http(Response),
}

#[derive(Debug)]
pub(super) struct Response {
    body: Incoming,
    reader: Reader,
    received: VecDeque<Received>,
    /// The connection ends with it.
    _connection: SendRequest<Full<Bytes>>,
}

impl Subscription {
    /// Connects, and asks for the events from now on.
    pub(super) async fn open(protocol: Protocol, server: SocketAddr) -> io::Result<Self> {
        let reader = match protocol {
            Protocol::Grpc => {
                let client = GatewayServiceClient::connect(format!("http://{server}")).await;
                let mut client = client.map_err(io::Error::other)?;
                let events = client.subscribe(SubscribeRequest::default()).await;
                return Ok(Self::Grpc(events.map_err(io::Error::other)?.into_inner()));
            }
            Protocol::GrpcWeb | Protocol::Connect => Reader::new(envelope),
            Protocol::Sse => Reader::new(sse_line),
            Protocol::Ndjson => Reader::new(ndjson_line),
        };
        let connection = TokioIo::new(TcpStream::connect(server).await?);
        let (mut sender, connection) =
            http1::handshake(connection).await.map_err(io::Error::other)?;
        tokio::spawn(connection); // which ends with the response
        let request = request(protocol, server).map_err(io::Error::other)?;
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        if !response.status().is_success() {
            return Err(io::Error::other(format!("the server answers {}", response.status())));
        }
        let (body, received) = (response.into_body(), VecDeque::new());
        Ok(Self::Http(Response { body, reader, received, _connection: sender }))
    }

    /// What comes next; nothing does after an end or a failure.
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
    protocol: Protocol,
    server: SocketAddr,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let (method, path, content_type) = match protocol {
        Protocol::Sse => (Method::GET, "/events", None),
        Protocol::Ndjson => (Method::GET, "/events.ndjson", None),
        Protocol::Connect => (Method::POST, SUBSCRIBE, Some("application/connect+proto")),
        Protocol::Grpc | Protocol::GrpcWeb => {
            (Method::POST, SUBSCRIBE, Some("application/grpc-web"))
        }
    };
    let request = Request::builder().method(method).uri(path).header(HOST, server.to_string());
    match content_type {
        None => request.body(Full::default()),
        // The envelope of a request that says nothing.
        Some(content_type) => request
            .header(CONTENT_TYPE, content_type)
            .body(Full::new(Bytes::from_static(&[0; PREFIX]))),
    }
}

const SUBSCRIBE: &str = "/galaxy.gateway.v1.GatewayService/Subscribe";

/// Before each message: a byte of flags, and the length in four.
const PREFIX: usize = 5;

fn received(event: GatewayEvent) -> Received {
    if event.is_heartbeat() { Received::Heartbeat } else { Received::Event(event.event_id) }
}

/// Reads pieces of a body.
#[derive(Debug)]
struct Reader {
    /// What is not whole yet.
    rest: Vec<u8>,
    read: fn(&[u8]) -> Option<Piece>,
}

/// What stands at the beginning, if it is whole: its length, and what it says.
type Piece = (usize, Option<Received>);

impl Reader {
    fn new(read: fn(&[u8]) -> Option<Piece>) -> Self {
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

fn envelope(bytes: &[u8]) -> Option<Piece> {
    let ([flags, length @ ..], after) = bytes.split_first_chunk::<PREFIX>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let message = after.get(..length)?;
    let is_message = *flags == 0; // the others tell of the end
    // What is no event has no id, and so is none that anybody waits for.
    let event = is_message.then(|| received(GatewayEvent::decode(message).unwrap_or_default()));
    Some((PREFIX + length, event))
}

fn sse_line(bytes: &[u8]) -> Option<Piece> {
    let (length, line) = line(bytes)?;
    let received = if line.starts_with(':') {
        Some(Received::Heartbeat)
    } else {
        line.strip_prefix("id: ").map(|id| Received::Event(id.to_owned()))
    };
    Some((length, received))
}

fn ndjson_line(bytes: &[u8]) -> Option<Piece> {
    let (length, line) = line(bytes)?;
    let received = if line.is_empty() {
        Received::Heartbeat
    } else {
        let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        Received::Event(event["eventId"].as_str().unwrap_or_default().to_owned())
    };
    Some((length, Some(received)))
}

/// The first line, without its end, and how long it is with that.
fn line(bytes: &[u8]) -> Option<(usize, String)> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    Some((end + 1, String::from_utf8_lossy(&bytes[..end]).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_is_read_however_it_is_cut() {
        let real = GatewayEvent { event_id: "7".to_owned(), ..GatewayEvent::default() };
        let in_envelope = |flags, payload: &[u8]| {
            let length = u32::try_from(payload.len()).expect("short");
            [&[flags], &length.to_be_bytes()[..], payload].concat()
        };
        let beat = GatewayEvent::heartbeat().encode_to_vec();
        let messages =
            [in_envelope(0, &real.encode_to_vec()), in_envelope(0, &beat), in_envelope(2, b"{}")];
        for (mut reader, bytes) in [
            (Reader::new(envelope), messages.concat()),
            (Reader::new(sse_line), b"id: 7\nevent: a\ndata: {\"id: \": 1}\n\n:\n".to_vec()),
            (Reader::new(ndjson_line), b"{\"eventId\":\"7\"}\n\n".to_vec()),
        ] {
            let all: Vec<_> = bytes.iter().flat_map(|&byte| reader.feed(&[byte])).collect();
            assert_eq!(all, [Received::Event("7".to_owned()), Received::Heartbeat]);
            assert!(reader.rest.is_empty());
            assert_eq!(reader.feed(&bytes), all, "at once");
        }
    }

    #[test]
    fn what_is_no_event_is_none_that_is_waited_for() {
        let nobody = [Received::Event(String::new())];
        assert_eq!(Reader::new(envelope).feed(b"\0\0\0\0\x01\xff"), nobody);
        assert_eq!(Reader::new(ndjson_line).feed(b"nonsense\n"), nobody);
    }
}
