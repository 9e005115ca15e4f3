//! Parsers for the heartbeat flags of the `proxy` command.

use std::str::FromStr;

use clap::ValueEnum;
use data_encoding::HEXLOWER_PERMISSIVE;
use heartbeat_tokio::{HeartbeatMessage, NdjsonHeartbeat, RpcHeartbeat, StreamingMethods};

use crate::rpc_message::RpcMessage;

/// The value of `--ndjson`: the heartbeat of newline-delimited JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NdjsonArg {
    /// Space before the next line: for readers that parse every line
    Space,
    /// Blank line: for readers that skip blank lines
    Blank,
}

impl From<NdjsonArg> for NdjsonHeartbeat {
    fn from(ndjson: NdjsonArg) -> Self {
        match ndjson {
            NdjsonArg::Space => Self::Space,
            NdjsonArg::Blank => Self::BlankLine,
        }
    }
}

/// The value of `--message`: the heartbeat of gRPC, gRPC-Web and Connect.
#[derive(Debug, Clone)]
pub struct RpcMessageArg(RpcHeartbeat);

impl From<RpcMessageArg> for RpcHeartbeat {
    fn from(RpcMessageArg(heartbeat): RpcMessageArg) -> Self {
        heartbeat
    }
}

impl FromStr for RpcMessageArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let heartbeat = match text {
            "empty" => RpcMessage::Empty.heartbeat(),
            "gateway" => RpcMessage::Gateway.heartbeat(),
            _ => {
                let digits =
                    text.strip_prefix("hex:").ok_or("expected empty, gateway or hex:0a0b…")?;
                let payload = HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
                let payload = payload
                    .map_err(|error| format!("{error}: expected two hex digits per byte"))?;
                let message = HeartbeatMessage::from_payload(payload);
                RpcHeartbeat::new(message.map_err(|error| error.to_string())?)
            }
        };
        Ok(Self(heartbeat))
    }
}

/// Parses the path of a method.
pub(super) fn parse_method(text: &str) -> Result<String, String> {
    match text.strip_prefix('/').and_then(|path| path.split_once('/')) {
        Some((service, method))
            if !service.is_empty() && !method.is_empty() && !method.contains('/') =>
        {
            Ok(text.to_owned())
        }
        _ => Err("expected a path like /package.Service/Method".to_owned()),
    }
}

/// Reads the streaming methods from a file descriptor set.
pub(super) fn read_methods(path: &str) -> Result<StreamingMethods, String> {
    let set = std::fs::read(path).map_err(|error| error.to_string())?;
    StreamingMethods::from_descriptor_set(set).map_err(|error| error.to_string())
}
