pub(crate) mod any;
mod bom;
pub(crate) mod envelope;
pub(crate) mod grpc_web_text;
pub(crate) mod ndjson;
pub(crate) mod sse;

use bytes::Bytes;

/// Parses the bytes of a stream, in pieces of any size, and knows where a heartbeat may be inserted.
///
/// A tracker does no I/O and buffers nothing. Once the bytes violate the framing, the boundary stays
/// [`Unknown`](Boundary::Unknown), and no heartbeat may be inserted any more.
///
/// Feed each piece to the tracker before you forward it, and check the boundary before you insert a
/// heartbeat:
///
/// ```
/// use bytes::Bytes;
/// use heartbeat_frame::{Boundary, BoundaryTracker, Content, EnvelopeTracker, HeartbeatMessage};
///
/// /// The output for these pieces, if a heartbeat is due after each of them.
/// fn with_heartbeats(
///     mut tracker: impl BoundaryTracker,
///     heartbeat: &Bytes,
///     pieces: &[&'static [u8]],
/// ) -> Vec<Bytes> {
///     let mut out = Vec::new();
///     for piece in pieces {
///         let mut piece = Bytes::from_static(piece);
///         match tracker.feed(&mut piece) {
///             Content::Empty => {} // nothing to forward
///             Content::NonEvent => out.push(piece), // report it with `Heartbeat::on_bytes`
///             Content::Event => out.push(piece), // report it with `Heartbeat::on_send`
///         }
///         if tracker.boundary() == Boundary::Open {
///             out.push(heartbeat.clone());
///             tracker.on_heartbeat();
///         }
///     }
///     out
/// }
///
/// let heartbeat = HeartbeatMessage::empty();
/// let tracker = EnvelopeTracker::grpc(&heartbeat);
/// let out = with_heartbeats(tracker, &heartbeat.envelope(), &[b"\0\0\0\0\x02h", b"i"]);
/// assert_eq!(out, ["\0\0\0\0\x02h", "i", "\0\0\0\0\0"]); // none inside the message
/// ```
pub trait BoundaryTracker {
    /// Parses the next bytes of the stream, classifies them, and leaves in `bytes` what to forward.
    ///
    /// Usually that is the piece itself: unchanged, not copied, and without allocation. The exception
    /// is a byte order mark after a heartbeat ([`on_heartbeat`](Self::on_heartbeat)), which is removed.
    /// If it arrives in parts, the parts are withheld until the mark is complete. If the bytes turn out
    /// not to be a mark, the withheld part is added to the piece that shows it. If nothing is left to
    /// forward, the result is [`Content::Empty`].
    fn feed(&mut self, bytes: &mut Bytes) -> Content;

    /// Whether a heartbeat may be inserted after the bytes fed so far.
    fn boundary(&self) -> Boundary;

    /// Reports that a heartbeat was inserted here. Do not feed the heartbeat itself.
    ///
    /// Trackers of text streams need this: a client skips a byte order mark at offset 0 only, so a mark
    /// after a heartbeat must be removed.
    fn on_heartbeat(&mut self) {}
}

/// Whether a heartbeat may be inserted at a point of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "a heartbeat at the wrong place corrupts the stream"]
pub enum Boundary {
    /// A heartbeat may be inserted here.
    Open,
    /// Not here: the point is inside a message. It may be possible later.
    InsideMessage,
    /// The last message has ended. Nothing may follow.
    EndOfStream,
    /// The bytes violate the framing. No heartbeat may be inserted from here on.
    Unknown,
}

/// The content of a piece of a stream, as it matters for the silence of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// No bytes.
    Empty,
    /// No byte that is known to be part of an event: heartbeats of another layer, or bytes that may
    /// still become one.
    NonEvent,
    /// At least one byte of an event. All bytes after an unknown boundary count as events.
    Event,
}

impl Content {
    /// Classifies `bytes`, which are left to forward.
    #[inline]
    fn new(bytes: &Bytes, is_event: bool) -> Self {
        match (bytes.is_empty(), is_event) {
            (true, _) => Self::Empty,
            (false, false) => Self::NonEvent,
            (false, true) => Self::Event,
        }
    }
}
