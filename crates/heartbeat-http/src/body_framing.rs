use bytes::Bytes;
use heartbeat_frame::{
    Boundary, BoundaryTracker, Content, EnvelopeTracker, GrpcWebTextTracker, HeartbeatMessage,
    NdjsonHeartbeat, NdjsonTracker, SseHeartbeat, SseTracker,
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
pub struct BodyFraming(Framing);

/// A tracker, and the heartbeat that it finds the place for.
#[derive(Debug, Clone)]
enum Framing {
    Sse(SseHeartbeat, SseTracker),
    Ndjson(NdjsonHeartbeat, NdjsonTracker),
    Envelope(Bytes, EnvelopeTracker),
    GrpcWebText(Bytes, GrpcWebTextTracker),
}

macro_rules! any {
    ($framing:expr, $tracker:ident => $answer:expr) => {
        match $framing {
            Framing::Sse(_, $tracker) => $answer,
            Framing::Ndjson(_, $tracker) => $answer,
            Framing::Envelope(_, $tracker) => $answer,
            Framing::GrpcWebText(_, $tracker) => $answer,
        }
    };
}

impl BodyFraming {
    /// Server-sent events. A heartbeat has the line end of the stream.
    pub fn sse(heartbeat: &SseHeartbeat) -> Self {
        Self(Framing::Sse(heartbeat.clone(), SseTracker::new(heartbeat)))
    }

    /// Newline-delimited JSON. After white space of the application a heartbeat has
    /// [the form that fits there](NdjsonTracker::heartbeat_here).
    pub fn ndjson(heartbeat: NdjsonHeartbeat) -> Self {
        Self(Framing::Ndjson(heartbeat, NdjsonTracker::new()))
    }

    /// The envelopes of gRPC. HTTP trailers end the stream.
    pub fn grpc(message: &HeartbeatMessage) -> Self {
        Self(Framing::Envelope(message.envelope(), EnvelopeTracker::grpc(message)))
    }

    /// The envelopes of binary gRPC-Web. The envelope with the trailers ends the stream.
    pub fn grpc_web(message: &HeartbeatMessage) -> Self {
        Self(Framing::Envelope(message.envelope(), EnvelopeTracker::grpc_web(message)))
    }

    /// The envelopes of gRPC-Web text, in base64. This encodes the heartbeat: keep the value and clone it.
    pub fn grpc_web_text(message: &HeartbeatMessage) -> Self {
        let tracker = GrpcWebTextTracker::new(message);
        Self(Framing::GrpcWebText(message.envelope_base64(), tracker))
    }

    /// The envelopes of Connect. The end-of-stream envelope ends the stream.
    pub fn connect(message: &HeartbeatMessage) -> Self {
        Self(Framing::Envelope(message.envelope(), EnvelopeTracker::connect(message)))
    }

    /// The bytes of a heartbeat that is inserted here.
    pub(crate) fn insert_heartbeat(&mut self) -> Bytes {
        let bytes = match &self.0 {
            Framing::Sse(heartbeat, tracker) => heartbeat.bytes_with(tracker.line_end()),
            Framing::Ndjson(form, tracker) => tracker.heartbeat_here(*form).bytes(),
            Framing::Envelope(bytes, _) | Framing::GrpcWebText(bytes, _) => bytes.clone(),
        };
        any!(&mut self.0, tracker => tracker.on_heartbeat());
        bytes
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "keeps the bytes in registers, as measured")]
    pub(crate) fn feed(&mut self, bytes: &mut Bytes) -> Content {
        any!(&mut self.0, tracker => tracker.feed(bytes))
    }

    #[inline]
    pub(crate) fn boundary(&self) -> Boundary {
        any!(&self.0, tracker => tracker.boundary())
    }

    /// Whether the stream is text, of which a byte order mark may be left out.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.0, Framing::Sse(..) | Framing::Ndjson(..))
    }
}
