use bytes::Bytes;
use heartbeat_frame::{
    EnvelopeTracker, GrpcWebTextTracker, HeartbeatMessage, NdjsonHeartbeat, NdjsonTracker,
    SseHeartbeat, SseTracker, Tracker,
};

/// How messages are framed in a body, and what a heartbeat is in that framing. Clones share the bytes of the
/// heartbeat.
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
#[must_use = "a framing does nothing until it is given to a body"]
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

    /// The envelopes of gRPC. HTTP trailers end the stream.
    pub fn grpc(message: &HeartbeatMessage) -> Self {
        Self::new(message.envelope(), EnvelopeTracker::grpc(message))
    }

    /// The envelopes of binary gRPC-Web. The envelope with the trailers ends the stream.
    pub fn grpc_web(message: &HeartbeatMessage) -> Self {
        Self::new(message.envelope(), EnvelopeTracker::grpc_web(message))
    }

    /// The envelopes of gRPC-Web text, in base64. This encodes the heartbeat: keep the value and clone it.
    pub fn grpc_web_text(message: &HeartbeatMessage) -> Self {
        Self::new(message.envelope_base64(), GrpcWebTextTracker::new(message))
    }

    /// The envelopes of Connect. The end-of-stream envelope ends the stream.
    pub fn connect(message: &HeartbeatMessage) -> Self {
        Self::new(message.envelope(), EnvelopeTracker::connect(message))
    }

    fn new(heartbeat: Bytes, tracker: impl Into<Tracker>) -> Self {
        Self { heartbeat, tracker: tracker.into() }
    }
}
