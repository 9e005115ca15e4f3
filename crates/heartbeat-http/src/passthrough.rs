use std::fmt;

/// Defines the reasons, each with its name in logs and metrics.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $reason:ident => $name:literal,)+) => {
        /// Why a response passes through a [`HeartbeatLayer`](crate::HeartbeatLayer) without heartbeats.
        ///
        /// If several reasons apply, the first that the layer finds is given. Its name is the value of
        /// `reason` in the log and in the metric `heartbeat.passthrough`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum PassthroughReason {
            $($(#[doc = $doc])+ $reason,)+
        }

        impl PassthroughReason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$reason),+];

            /// The name in logs and metrics, in `snake_case`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)+
                }
            }
        }
    };
}

reasons! {
    /// The method of the request is CONNECT, or it is HEAD and the response to GET would be kept alive. There is no body.
    Method => "method",
    /// The interval is zero, by the policy, by a route or by the client.
    Disabled => "disabled",
    /// The content type is not that of a stream.
    ContentType => "content_type",
    /// The path is not that of a streaming method of gRPC, gRPC-Web or Connect that the policy names.
    RpcMethod => "rpc_method",
    /// The policy has no heartbeat for this content type.
    NoHeartbeat => "no_heartbeat",
    /// The status is not a success, or is 204, 205 or 206.
    Status => "status",
    /// The length of the body is known, by `Content-Length` or by an exact size hint.
    Length => "length",
    /// The headers contain a digest of the body, or announce a digest or a signature in the trailers.
    Digest => "digest",
    /// The headers contain a signature over a digest, or over a header that the layer changes.
    Signature => "signature",
    /// The headers contain `grpc-status`: no message follows.
    RpcStatus => "grpc_status",
    /// The body is encoded, for example compressed.
    ContentEncoding => "content_encoding",
    /// An inner layer keeps the response alive.
    KeptAlive => "kept_alive",
    /// The body has ended.
    Ended => "ended",
}

impl fmt::Display for PassthroughReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
