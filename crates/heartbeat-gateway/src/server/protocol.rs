use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;

/// How a client is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    GrpcWeb,
    Connect(Codec),
    Sse,
    Ndjson,
}

/// How the messages of Connect are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Proto,
    Json,
}

/// What [`Protocol::of`] knows, for who sends something else.
pub(super) const CONTENT_TYPES: &str = "application/grpc, application/grpc-web, \
    application/grpc-web-text, application/connect+proto, application/connect+json";

impl Protocol {
    /// The protocol of a remote call, by its content type. Parameters make no difference.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = content_type.split(';').next()?.trim().to_ascii_lowercase();
        Some(match essence.strip_prefix("application/")? {
            "grpc" | "grpc+proto" => Self::Grpc,
            "grpc-web" | "grpc-web+proto" | "grpc-web-text" | "grpc-web-text+proto" => {
                Self::GrpcWeb
            }
            "connect+proto" => Self::Connect(Codec::Proto),
            "connect+json" => Self::Connect(Codec::Json),
            _ => return None,
        })
    }

    /// How it is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "gRPC",
            Self::GrpcWeb => "gRPC-Web",
            Self::Connect(_) => "Connect",
            Self::Sse => "SSE",
            Self::Ndjson => "NDJSON",
        }
    }
}
