use bytes::Bytes;
use heartbeat_frame::{
    EnvelopeTracker, GrpcWebTextTracker, HeartbeatMessage, NdjsonHeartbeat, NdjsonTracker,
    SseHeartbeat, SseTracker, Tracker,
};

/// How the bytes of a body are framed, and what a heartbeat is among them. Its clones share the
/// heartbeat's buffer.
///
/// # Example
///
/// ```
/// use heartbeat_frame::{HeartbeatMessage, SseHeartbeat};
/// use heartbeat_http::BodyFraming;
///
/// let comments = BodyFraming::sse(&SseHeartbeat::default());
/// let messages = BodyFraming::grpc(&HeartbeatMessage::empty());
/// ```
#[derive(Debug, Clone)]
#[must_use = "a framing does nothing until a body has it"]
pub struct BodyFraming {
    pub(crate) heartbeat: Bytes,
    pub(crate) tracker: Tracker,
}

impl BodyFraming {
    /// Server-sent events.
    pub fn sse(heartbeat: &SseHeartbeat) -> Self {
        Self::new(heartbeat.bytes(), SseTracker::new(heartbeat))
    }

    /// Newline-delimited JSON.
    pub fn ndjson(heartbeat: NdjsonHeartbeat) -> Self {
        Self::new(heartbeat.bytes(), NdjsonTracker::new())
    }

    /// The envelopes of gRPC. What ends the stream are HTTP's trailers.
    pub fn grpc(message: &HeartbeatMessage) -> Self {
        Self::new(message.envelope(), EnvelopeTracker::grpc(message))
    }

    /// The envelopes of gRPC-Web in binary, of which the trailers are the last.
    pub fn grpc_web(message: &HeartbeatMessage) -> Self {
        Self::new(message.envelope(), EnvelopeTracker::grpc_web(message))
    }

    /// The same in base64. Keep it and clone it: this encodes the heartbeat.
    pub fn grpc_web_text(message: &HeartbeatMessage) -> Self {
        Self::new(message.envelope_base64(), GrpcWebTextTracker::new(message))
    }

    /// The envelopes of Connect's streams. The last one ends the stream.
    pub fn connect(message: &HeartbeatMessage) -> Self {
        Self::new(message.envelope(), EnvelopeTracker::connect(message))
    }

    fn new(heartbeat: Bytes, tracker: impl Into<Tracker>) -> Self {
        Self { heartbeat, tracker: tracker.into() }
    }
}
