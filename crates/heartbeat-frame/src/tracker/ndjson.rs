use std::mem::size_of;

use bytes::Bytes;
use memchr::memrchr;

use super::bom::BomFilter;
use super::{Boundary, BoundaryTracker, Content};
use crate::NdjsonHeartbeat;

/// Tracks lines of JSON: a heartbeat may be inserted at the start of a line, and after white space there.
///
/// A line ends with LF; CR LF counts by its LF. White space (space, tab, CR) without a value is no event.
/// The JSON is not parsed: from the first other byte of a line to its LF there is no boundary. There is none
/// after a CR either, because its LF may follow. The boundary is never unknown.
///
/// [`heartbeat_here`](Self::heartbeat_here) says which form of [`NdjsonHeartbeat`] fits into a line that
/// has begun.
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
    /// Only white space so far.
    Blank,
    /// Only white space so far, and a CR at its end.
    BlankCr,
    /// Inside or after a value.
    Event,
}

impl NdjsonTracker {
    /// For a new stream.
    #[must_use = "a tracker must be fed"]
    pub const fn new() -> Self {
        Self { bom: BomFilter::START, line: NdjsonLineState::Start }
    }

    /// The heartbeat for this point of a stream whose heartbeats have this form.
    ///
    /// In a line that is white space so far it is a space in either form: a line feed would make the white
    /// space a line of its own, which readers that skip empty lines only reject.
    ///
    /// # Example
    ///
    /// ```
    /// use bytes::Bytes;
    /// use heartbeat_frame::{BoundaryTracker, NdjsonHeartbeat, NdjsonTracker};
    ///
    /// let mut tracker = NdjsonTracker::new();
    /// let form = NdjsonHeartbeat::BlankLine;
    /// assert_eq!(tracker.heartbeat_here(form).bytes(), "\n");
    ///
    /// // The application sends white space of its own.
    /// tracker.feed(&mut Bytes::from(" "));
    /// assert_eq!(tracker.heartbeat_here(form).bytes(), " ");
    /// ```
    #[must_use = "the heartbeat has no effect until it is sent"]
    pub const fn heartbeat_here(&self, form: NdjsonHeartbeat) -> NdjsonHeartbeat {
        match self.line {
            NdjsonLineState::Blank => NdjsonHeartbeat::Space,
            NdjsonLineState::Start | NdjsonLineState::BlankCr | NdjsonLineState::Event => form,
        }
    }

    /// Parses bytes, and returns whether one of them is part of an event.
    #[inline]
    fn advance(&mut self, bytes: &[u8]) -> bool {
        match bytes {
            [] => false,
            [b'\n' | b'\r' | b' ' | b'\t', ..] => self.advance_lines(bytes),
            [.., b'\n'] => {
                self.line = NdjsonLineState::Start; // whole lines, as in most pieces
                true
            }
            _ => self.advance_lines(bytes),
        }
    }

    /// Skips the bytes from the first byte of an event to the end of the last line, because they cannot
    /// change the result.
    fn advance_lines(&mut self, mut bytes: &[u8]) -> bool {
        let mut any_event = false;
        while let Some(&first) = bytes.first() {
            let white_space = match (self.line, first) {
                (NdjsonLineState::Event, _) => None,
                (_, b'\n') => Some(NdjsonLineState::Start),
                (_, b'\r') => Some(NdjsonLineState::BlankCr),
                (_, b' ' | b'\t') => Some(NdjsonLineState::Blank),
                _ => None,
            };
            let seen = if let Some(line) = white_space {
                self.line = line;
                1
            } else {
                any_event = true;
                let end = memrchr(b'\n', bytes);
                self.line =
                    if end.is_some() { NdjsonLineState::Start } else { NdjsonLineState::Event };
                end.map_or(bytes.len(), |at| at + 1)
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
            NdjsonLineState::BlankCr | NdjsonLineState::Event => Boundary::InsideMessage,
            NdjsonLineState::Start | NdjsonLineState::Blank if self.bom.is_partial() => {
                Boundary::InsideMessage
            }
            NdjsonLineState::Start | NdjsonLineState::Blank => Boundary::Open,
        }
    }

    fn on_heartbeat(&mut self) {
        self.bom.on_heartbeat();
    }
}
