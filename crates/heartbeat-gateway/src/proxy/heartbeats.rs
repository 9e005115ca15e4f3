//! How the heartbeats are chosen on the command line.

use std::str::FromStr;

use clap::ValueEnum;
use data_encoding::HEXLOWER_PERMISSIVE;
use heartbeat_tokio::{HeartbeatMessage, NdjsonHeartbeat, RpcHeartbeat, StreamingMethods};

use crate::message;

/// A heartbeat among lines of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ndjson {
    /// A space, which goes before the next line: no parser minds
    Space,
    /// A blank line, which is seen at once: some parsers mind
    Blank,
}

impl From<Ndjson> for NdjsonHeartbeat {
    fn from(ndjson: Ndjson) -> Self {
        match ndjson {
            Ndjson::Space => Self::Space,
            Ndjson::Blank => Self::BlankLine,
        }
    }
}

/// A heartbeat among messages of gRPC, gRPC-Web and Connect.
#[derive(Debug, Clone)]
pub struct Message(RpcHeartbeat);

impl From<Message> for RpcHeartbeat {
    fn from(Message(messages): Message) -> Self {
        messages
    }
}

impl FromStr for Message {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let messages = match text {
            "empty" => message::Message::Empty.messages(),
            "gateway" => message::Message::Gateway.messages(),
            _ => {
                let digits = text.strip_prefix("hex:").ok_or("give empty, gateway or hex:0a0b…")?;
                let payload = HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
                let payload =
                    payload.map_err(|error| format!("{error}: give two digits for each byte"))?;
                let message = HeartbeatMessage::from_payload(payload);
                RpcHeartbeat::new(message.map_err(|error| error.to_string())?)
            }
        };
        Ok(Self(messages))
    }
}

/// The path of a method.
pub(super) fn method(text: &str) -> Result<String, String> {
    match text.strip_prefix('/').and_then(|path| path.split_once('/')) {
        Some((service, method))
            if !service.is_empty() && !method.is_empty() && !method.contains('/') =>
        {
            Ok(text.to_owned())
        }
        _ => Err("give a path such as /package.Service/Method".to_owned()),
    }
}

/// The methods that stream, out of a file.
pub(super) fn methods(path: &str) -> Result<StreamingMethods, String> {
    let set = std::fs::read(path).map_err(|error| error.to_string())?;
    StreamingMethods::from_descriptor_set(set).map_err(|error| error.to_string())
}
