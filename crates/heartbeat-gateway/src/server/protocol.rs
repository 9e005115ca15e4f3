use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;

/// The path of the remote call.
pub(super) const SUBSCRIBE: &str = "/galaxy.gateway.v1.GatewayService/Subscribe";

/// Maximum size of the message of a request, in bytes. It contains an id.
pub(super) const MAX_REQUEST_SIZE: usize = 64 * 1024;

/// The protocol of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientProtocol {
    Grpc,
    GrpcWeb,
    Connect(ConnectCodec),
    Sse,
    Ndjson,
}

/// The encoding of the messages of Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectCodec {
    Proto,
    Json,
}

/// The content types that [`ClientProtocol::of`] recognizes, for an error text.
pub(super) const CONTENT_TYPES: &str = "application/grpc, application/grpc-web, \
    application/grpc-web-text, application/connect+proto, application/connect+json";

impl ClientProtocol {
    /// The protocol of a remote call, by its content type. Parameters of the content type are ignored.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = content_type.split(';').next()?.trim().to_ascii_lowercase();
        Some(match essence.strip_prefix("application/")? {
            "grpc" | "grpc+proto" => Self::Grpc,
            "grpc-web" | "grpc-web+proto" | "grpc-web-text" | "grpc-web-text+proto" => {
                Self::GrpcWeb
            }
            "connect+proto" => Self::Connect(ConnectCodec::Proto),
            "connect+json" => Self::Connect(ConnectCodec::Json),
            _ => return None,
        })
    }

    /// The name in the log.
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
