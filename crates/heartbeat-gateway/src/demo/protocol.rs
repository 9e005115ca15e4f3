use std::fmt;

use serde::Serialize;

/// The protocol of a stream in the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DemoProtocol {
    /// gRPC, over HTTP/2.
    Grpc,
    /// gRPC-Web, over HTTP/1.1 as all following protocols.
    GrpcWeb,
    /// Connect.
    Connect,
    /// Server-sent events.
    Sse,
    /// Newline-delimited JSON.
    Ndjson,
}

impl fmt::Display for DemoProtocol {
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
