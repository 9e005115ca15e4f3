//! Decoders for the received bytes of a stream.

use base64::prelude::{BASE64_STANDARD, Engine};
use heartbeat_frame::GatewayEvent;
use hyper::HeaderMap;
use prost::Message;
use serde_json::Value;

use super::client::from_json;

#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Event(GatewayEvent),
    Heartbeat,
    /// The regular end.
    Ended,
    /// The end with an error: its code in the protocol's form, and its message.
    Failed(String, String),
    /// The end inside an item.
    Broken(String),
}

pub struct Decoder {
    framing: Framing,
    /// An incomplete item.
    rest: Vec<u8>,
    /// The status from the trailers, or from the headers of a response without a body.
    end: Option<Item>,
}

enum Framing {
    Envelopes { json: bool },
    Base64 { coded: Vec<u8> },
    Sse,
    Ndjson,
    None,
}

impl Decoder {
    pub fn of(headers: &HeaderMap) -> Self {
        let content_type =
            headers.get("content-type").map_or("", |text| text.to_str().expect("text"));
        let framing = match content_type {
            "application/grpc-web-text+proto" => Framing::Base64 { coded: Vec::new() },
            "text/event-stream" => Framing::Sse,
            "application/x-ndjson" => Framing::Ndjson,
            "application/connect+json" => Framing::Envelopes { json: true },
            "application/grpc" | "application/grpc-web+proto" | "application/connect+proto" => {
                Framing::Envelopes { json: false }
            }
            _ => Framing::None,
        };
        Self { framing, rest: Vec::new(), end: grpc_end(headers) }
    }

    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Item> {
        match &mut self.framing {
            Framing::Base64 { coded } => {
                coded.extend(bytes);
                let whole = coded.len() / 4 * 4;
                for four in coded.drain(..whole).as_slice().chunks(4) {
                    self.rest.extend(BASE64_STANDARD.decode(four).expect("base64"));
                }
                self.envelopes(false)
            }
            &mut Framing::Envelopes { json } => {
                self.rest.extend(bytes);
                self.envelopes(json)
            }
            Framing::Sse => {
                self.rest.extend(bytes);
                self.sse()
            }
            Framing::Ndjson => {
                self.rest.extend(bytes);
                let line = |line: String| {
                    if line.is_empty() { Item::Heartbeat } else { Item::Event(from_json(&line)) }
                };
                self.lines().into_iter().map(line).collect()
            }
            Framing::None => panic!("no stream, but {:?}", String::from_utf8_lossy(bytes)),
        }
    }

    pub fn trailers(&mut self, trailers: &HeaderMap) {
        self.end = grpc_end(trailers);
    }

    /// The body has ended.
    pub fn end(&mut self) -> Item {
        if !self.rest.is_empty() {
            return Item::Broken(format!("{:?} is left", String::from_utf8_lossy(&self.rest)));
        }
        match self.framing {
            Framing::Sse | Framing::Ndjson => Item::Ended,
            _ => self.end.take().unwrap_or_else(|| Item::Broken("no status".to_owned())),
        }
    }

    fn envelopes(&mut self, json: bool) -> Vec<Item> {
        let mut items = Vec::new();
        while let Some((&[flags, a, b, c, d], after)) = self.rest.split_first_chunk() {
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            let Some(payload) = after.get(..length) else { break };
            match flags {
                0 if json => {
                    items.push(event(from_json(std::str::from_utf8(payload).expect("text"))));
                }
                0 => items.push(event(GatewayEvent::decode(payload).expect("an event"))),
                2 => self.end = Some(connect_end(payload)),
                0x80 => self.end = Some(grpc_web_end(payload)),
                _ => panic!("flags {flags:#x}"),
            }
            self.rest.drain(..5 + length);
            if flags != 0 {
                assert!(self.rest.is_empty(), "nothing follows the end");
            }
        }
        items
    }

    fn lines(&mut self) -> Vec<String> {
        let end = self.rest.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        let text = String::from_utf8(self.rest.drain(..end).collect()).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    /// Events and comments. A comment inside an event is reported before the event.
    fn sse(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        while let Some(line_end) = self.rest.iter().position(|&byte| byte == b'\n') {
            if self.rest[0] == b':' {
                items.push(Item::Heartbeat);
                self.rest.drain(..=line_end);
                continue;
            }
            let Some(end) = self.rest.windows(2).position(|two| two == b"\n\n") else { break };
            let text = String::from_utf8(self.rest.drain(..end + 2).collect()).expect("text");
            let mut fields =
                text.trim_end().lines().map(|line| line.split_once(": ").expect("a field"));
            let mut field = |name| {
                let (found, value) = fields.next().expect("one more");
                assert_eq!(found, name, "{text}");
                value
            };
            let (id, format) = (field("id"), field("event"));
            let event = from_json(field("data"));
            assert_eq!((id, format), (event.event_id.as_str(), event.event_type.as_str()));
            assert_eq!(fields.next(), None, "{text}");
            items.push(Item::Event(event));
        }
        items
    }
}

fn event(event: GatewayEvent) -> Item {
    if event.is_heartbeat() {
        assert_eq!(event, GatewayEvent::heartbeat());
        return Item::Heartbeat;
    }
    Item::Event(event)
}

/// The status from gRPC's trailers, or from the headers of a response without a body.
fn grpc_end(headers: &HeaderMap) -> Option<Item> {
    let text = |name| headers.get(name).map_or("", |text| text.to_str().expect("text"));
    Some(status(headers.get("grpc-status")?.to_str().expect("text"), text("grpc-message")))
}

fn grpc_web_end(trailers: &[u8]) -> Item {
    let text = std::str::from_utf8(trailers).expect("text");
    let field = |name: &str| {
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(found, _)| *found == name).map_or("", |(_, value)| value.trim())
    };
    status(field("grpc-status"), field("grpc-message"))
}

fn status(code: &str, message: &str) -> Item {
    if code == "0" {
        return Item::Ended;
    }
    Item::Failed(code.to_owned(), message.replace("%20", " ").replace("%22", "\""))
}

fn connect_end(payload: &[u8]) -> Item {
    let json: Value = serde_json::from_slice(payload).expect("JSON");
    match &json["error"] {
        Value::Null => Item::Ended,
        error => {
            let text = |name: &str| error[name].as_str().expect("text").to_owned();
            Item::Failed(text("code"), text("message"))
        }
    }
}
