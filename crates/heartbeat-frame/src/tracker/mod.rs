pub(crate) mod any;
mod bom;
pub(crate) mod envelope;
pub(crate) mod grpc_web_text;
pub(crate) mod ndjson;
pub(crate) mod sse;

use bytes::Bytes;

/// Follows the bytes of a stream, cut anywhere, and knows where a heartbeat may stand.
///
/// It has no I/O and keeps no bytes, however much is fed and however it is cut. What it takes for wrong
/// it never takes for right again: from then on nothing may be put in.
///
/// Whoever writes the stream gives it each piece before passing it on, and asks it before putting a
/// heartbeat in:
///
/// ```
/// use bytes::Bytes;
/// use heartbeat_frame::{Boundary, BoundaryTracker, EnvelopeTracker, HeartbeatMessage, Content};
///
/// /// What goes out for these pieces, if a heartbeat is owed after each.
/// fn beating(mut tracker: impl BoundaryTracker, beat: &Bytes, pieces: &[&'static [u8]]) -> Vec<Bytes> {
///     let mut out = Vec::new();
///     for piece in pieces {
///         let mut piece = Bytes::from_static(piece);
///         match tracker.feed(&mut piece) {
///             Content::Empty => {} // nothing is left to pass on
///             Content::NonEvent => out.push(piece), // for the machine: `on_bytes`
///             Content::Event => out.push(piece), // for the machine: `on_send`
///         }
///         if tracker.boundary() == Boundary::Open {
///             out.push(beat.clone());
///             tracker.on_heartbeat();
///         }
///     }
///     out
/// }
///
/// let beat = HeartbeatMessage::empty();
/// let tracker = EnvelopeTracker::grpc(&beat);
/// let out = beating(tracker, &beat.envelope(), &[b"\0\0\0\0\x02h", b"i"]);
/// assert_eq!(out, ["\0\0\0\0\x02h", "i", "\0\0\0\0\0"]); // not within the message
/// ```
pub trait BoundaryTracker {
    /// Takes the next bytes of the stream, tells what they were, and leaves what is to be passed on.
    ///
    /// Those are all of them, untouched, not copied and without allocating, but for one case: a byte
    /// order mark that a heartbeat has got ahead of ([`on_heartbeat`](Self::on_heartbeat)) is taken out.
    /// One that comes in pieces is withheld until it is whole; if it turns out to be none, the piece
    /// that shows it gets it back. If nothing is left the answer is [`Content::Empty`], and there is
    /// nothing to pass on.
    fn feed(&mut self, bytes: &mut Bytes) -> Content;

    /// Whether a heartbeat may stand after all that was fed.
    fn boundary(&self) -> Boundary;

    /// Hears that a heartbeat was put in here. What is put in is not fed.
    ///
    /// Streams of text have to know: a client skips a byte order mark at offset 0 only. One that comes
    /// after a heartbeat is therefore dropped.
    fn on_heartbeat(&mut self) {}
}

/// Whether a heartbeat may stand at a point of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "a heartbeat at the wrong place corrupts the stream"]
pub enum Boundary {
    /// It may stand here.
    Open,
    /// Not here, within a message. It may later.
    InsideMessage,
    /// The stream of messages has ended. Nothing may follow.
    EndOfStream,
    /// What was fed is not what it should be, so nobody knows. Neither here nor later.
    Unknown,
}

/// What bytes were, for whoever watches over the silence of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// None.
    Empty,
    /// None that is known to be of a real event: the heartbeats of somebody else, or what may still
    /// become one.
    NonEvent,
    /// At least one of a real event. Whatever comes once the boundary is unknown counts as real too.
    Event,
}

impl Content {
    /// For `bytes` as they are left.
    #[inline]
    fn new(bytes: &Bytes, is_event: bool) -> Self {
        match (bytes.is_empty(), is_event) {
            (true, _) => Self::Empty,
            (false, false) => Self::NonEvent,
            (false, true) => Self::Event,
        }
    }
}
