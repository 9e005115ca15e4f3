use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// What a response says that it is, as far as there are heartbeats for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Sse,
    Ndjson,
    Messages(Protocol, Codec),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    GrpcWeb,
    GrpcWebText,
    Connect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Proto,
    Json,
}

impl Media {
    /// By the content type. Parameters, such as a charset, make no difference.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = content_type.split(';').next()?.trim().to_ascii_lowercase();
        match essence.as_str() {
            "text/event-stream" => return Some(Self::Sse),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => {
                return Some(Self::Ndjson);
            }
            _ => {}
        }
        let format = essence.strip_prefix("application/")?;
        let (protocol, codec) = format.split_once('+').unwrap_or((format, ""));
        let protocol = match protocol {
            "grpc" => Protocol::Grpc,
            "grpc-web" => Protocol::GrpcWeb,
            "grpc-web-text" => Protocol::GrpcWebText,
            "connect" => Protocol::Connect,
            _ => return None,
        };
        let codec = match codec {
            "proto" => Codec::Proto,
            "" if protocol != Protocol::Connect => Codec::Proto,
            "json" => Codec::Json,
            _ => return None, // nobody knows what a message would be
        };
        Some(Self::Messages(protocol, codec))
    }
}
