use std::mem::size_of;

use bytes::Bytes;
use memchr::memrchr;

use super::bom::BomFilter;
use super::{Boundary, BoundaryTracker, Content};

/// Tracks lines of JSON: a heartbeat in either form of [`NdjsonHeartbeat`] may be inserted at the start
/// of a line.
///
/// A line ends with LF; CR LF counts by its LF. A line of whitespace is no event. The JSON is not
/// parsed, so the boundary is never unknown.
///
/// JSON should not begin with a byte order mark. If it does, the stream starts after the mark; after a
/// heartbeat at offset 0 the mark is removed, as by [`SseTracker`].
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
/// // A heartbeat of another layer.
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
    /// Only whitespace so far.
    Blank,
    Event,
}

impl NdjsonTracker {
    /// For a new stream.
    #[must_use = "a tracker must be fed"]
    pub const fn new() -> Self {
        Self { bom: BomFilter::START, line: NdjsonLineState::Start }
    }

    /// Parses bytes, and returns whether one of them is part of an event. The bytes from the first such
    /// byte to the end of the last line are skipped, because they cannot change the result.
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
