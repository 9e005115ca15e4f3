use std::mem::size_of;

use bytes::Bytes;
use memchr::memrchr;

use super::bom::BomFilter;
use super::{Boundary, BoundaryTracker, Content};

/// Follows lines of JSON: a heartbeat, in either form of [`NdjsonHeartbeat`], may stand at the start of
/// any.
///
/// A line ends with LF, so CR LF counts by its LF. A line of nothing but whitespace is no real event.
/// Nothing looks into the JSON, so the boundary is never unknown.
///
/// JSON should not begin with a byte order mark. If it does, the stream starts after it; behind a
/// heartbeat that stands at offset 0 it is dropped, as [`SseTracker`] tells.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use heartbeat_frame::{Boundary, BoundaryTracker, NdjsonTracker, Content};
///
/// let mut tracker = NdjsonTracker::new();
/// assert_eq!(tracker.boundary(), Boundary::Open);
///
/// assert_eq!(tracker.feed(&mut Bytes::from("{\"n\":")), Content::Event);
/// assert_eq!(tracker.boundary(), Boundary::InsideMessage);
/// tracker.feed(&mut Bytes::from("42}\r\n"));
/// assert_eq!(tracker.boundary(), Boundary::Open);
///
/// // Somebody else's heartbeat.
/// assert_eq!(tracker.feed(&mut Bytes::from("\n")), Content::NonEvent);
/// ```
///
/// [`NdjsonHeartbeat`]: crate::NdjsonHeartbeat
/// [`SseTracker`]: crate::SseTracker
#[derive(Debug, Clone)]
pub struct NdjsonTracker {
    bom: BomFilter,
    line: NdjsonLineState,
}

const _: () = assert!(size_of::<NdjsonTracker>() <= 4);

#[derive(Debug, Clone, Copy)]
enum NdjsonLineState {
    Start,
    /// Nothing but whitespace so far.
    Blank,
    Event,
}

impl NdjsonTracker {
    /// For a stream of which nothing was sent yet.
    #[must_use = "a tracker that is fed nothing knows nothing"]
    pub const fn new() -> Self {
        Self { bom: BomFilter::START, line: NdjsonLineState::Start }
    }

    /// Whether one of the bytes is of a real event. From the first that is, up to the end of the last
    /// whole line, there is nothing to find out: those bytes are not looked at.
    fn advance(&mut self, mut bytes: &[u8]) -> bool {
        let mut any_event = false;
        while let Some(&first) = bytes.first() {
            let seen = match (self.line, first) {
                (NdjsonLineState::Start | NdjsonLineState::Blank, b'\n') => {
                    self.line = NdjsonLineState::Start;
                    1
                }
                (NdjsonLineState::Start | NdjsonLineState::Blank, b' ' | b'\t' | b'\r') => {
                    self.line = NdjsonLineState::Blank;
                    1
                }
                (NdjsonLineState::Start | NdjsonLineState::Blank | NdjsonLineState::Event, _) => {
                    any_event = true;
                    let end = memrchr(b'\n', bytes);
                    self.line =
                        if end.is_some() { NdjsonLineState::Start } else { NdjsonLineState::Event };
                    end.map_or(bytes.len(), |at| at + 1)
                }
            };
            bytes = &bytes[seen..];
        }
        any_event
    }
}

impl Default for NdjsonTracker {
    fn default() -> Self {
        Self::new()
    }
}

impl BoundaryTracker for NdjsonTracker {
    #[inline]
    fn feed(&mut self, bytes: &mut Bytes) -> Content {
        let (before, skipped) = self.bom.feed(bytes);
        let is_event = self.advance(before) | self.advance(&bytes[skipped..]);
        Content::new(bytes, is_event)
    }

    #[inline]
    fn boundary(&self) -> Boundary {
        match self.line {
            NdjsonLineState::Start if !self.bom.is_partial() => Boundary::Open,
            NdjsonLineState::Start | NdjsonLineState::Blank | NdjsonLineState::Event => {
                Boundary::InsideMessage
            }
        }
    }

    fn on_heartbeat(&mut self) {
        self.bom.on_heartbeat();
    }
}
