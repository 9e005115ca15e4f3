use std::borrow::Cow;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The format of a streaming response, by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamFormat {
    Sse,
    Ndjson,
    Rpc(RpcProtocol, RpcCodec),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RpcProtocol {
    Grpc,
    GrpcWeb,
    GrpcWebText,
    Connect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RpcCodec {
    Proto,
    Json,
}

impl StreamFormat {
    /// Parses the content type. Parameters, such as a charset, are ignored; they may contain any bytes.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let content_type = headers.get(CONTENT_TYPE)?.as_bytes();
        let essence = content_type.split(|byte| *byte == b';').next()?.trim_ascii();
        let mut essence = Cow::from(std::str::from_utf8(essence).ok()?);
        if essence.bytes().any(|byte| byte.is_ascii_uppercase()) {
            essence.to_mut().make_ascii_lowercase();
        }
        match &*essence {
            "text/event-stream" => return Some(Self::Sse),
            // Not `application/x-json-stream`: Docker's log plugins send binary data with it.
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonl"
            | "application/jsonlines"
            | "application/x-jsonlines"
            | "application/json-lines"
            | "application/stream+json" => return Some(Self::Ndjson),
            _ => {}
        }
        let format = essence.strip_prefix("application/")?;
        let (protocol, codec) = format.split_once('+').unwrap_or((format, ""));
        let protocol = match protocol {
            "grpc" => RpcProtocol::Grpc,
            "grpc-web" => RpcProtocol::GrpcWeb,
            "grpc-web-text" => RpcProtocol::GrpcWebText,
            "connect" => RpcProtocol::Connect,
            _ => return None,
        };
        let codec = match codec {
            "proto" => RpcCodec::Proto,
            "" if protocol != RpcProtocol::Connect => RpcCodec::Proto,
            "json" => RpcCodec::Json,
            _ => return None, // the encoding of a message is unknown
        };
        Some(Self::Rpc(protocol, codec))
    }
}
