use std::mem::size_of;

use bytes::Bytes;

use super::envelope::EnvelopeTracker;
use super::grpc_web_text::GrpcWebTextTracker;
use super::ndjson::NdjsonTracker;
use super::sse::SseTracker;
use super::{Boundary, BoundaryTracker, Content};

/// A tracker whose framing is chosen at run time.
///
/// # Example
///
/// ```
/// use heartbeat_frame::{
///     EnvelopeTracker, HeartbeatMessage, NdjsonTracker, SseHeartbeat, SseTracker, Tracker,
/// };
///
/// fn tracker(content_type: &str) -> Option<Tracker> {
///     Some(match content_type {
///         "text/event-stream" => SseTracker::new(&SseHeartbeat::default()).into(),
///         "application/x-ndjson" => NdjsonTracker::new().into(),
///         "application/grpc" => EnvelopeTracker::grpc(&HeartbeatMessage::default()).into(),
///         _ => return None,
///     })
/// }
/// assert!(matches!(tracker("text/event-stream"), Some(Tracker::Sse(_))));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Tracker {
    /// gRPC, gRPC-Web in binary, Connect.
    Envelope(EnvelopeTracker),
    /// gRPC-Web-text.
    GrpcWebText(GrpcWebTextTracker),
    /// Server-sent events.
    Sse(SseTracker),
    /// Newline-delimited JSON.
    Ndjson(NdjsonTracker),
}

const _: () = assert!(size_of::<Tracker>() <= 64);

macro_rules! any {
    ($tracker:expr, $inner:ident => $answer:expr) => {
        match $tracker {
            Tracker::Envelope($inner) => $answer,
            Tracker::GrpcWebText($inner) => $answer,
            Tracker::Sse($inner) => $answer,
            Tracker::Ndjson($inner) => $answer,
        }
    };
}

impl BoundaryTracker for Tracker {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "keeps the bytes in registers, as measured")]
    fn feed(&mut self, bytes: &mut Bytes) -> Content {
        any!(self, tracker => tracker.feed(bytes))
    }

    #[inline]
    fn boundary(&self) -> Boundary {
        any!(self, tracker => tracker.boundary())
    }

    fn on_heartbeat(&mut self) {
        any!(self, tracker => tracker.on_heartbeat());
    }
}

impl From<EnvelopeTracker> for Tracker {
    fn from(tracker: EnvelopeTracker) -> Self {
        Self::Envelope(tracker)
    }
}

impl From<GrpcWebTextTracker> for Tracker {
    fn from(tracker: GrpcWebTextTracker) -> Self {
        Self::GrpcWebText(tracker)
    }
}

impl From<SseTracker> for Tracker {
    fn from(tracker: SseTracker) -> Self {
        Self::Sse(tracker)
    }
}

impl From<NdjsonTracker> for Tracker {
    fn from(tracker: NdjsonTracker) -> Self {
        Self::Ndjson(tracker)
    }
}
