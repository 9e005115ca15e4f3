use std::fmt;

use serde::Serialize;

/// What a stream of the demonstration is served by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Protocol {
    /// gRPC, over HTTP/2.
    Grpc,
    /// gRPC-Web, over HTTP/1.1 as all that follow.
    GrpcWeb,
    /// Connect.
    Connect,
    /// Server-sent events.
    Sse,
    /// JSON, a line for each event.
    Ndjson,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Grpc => "gRPC",
            Self::GrpcWeb => "gRPC-Web",
            Self::Connect => "Connect",
            Self::Sse => "SSE",
            Self::Ndjson => "NDJSON",
        })
    }
}
