use std::mem::size_of;

use bytes::Bytes;
use memchr::memrchr;

use super::opening::Opening;
use super::{Boundary, BoundaryTracker, Passed};

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
/// use heartbeat_frame::{Boundary, BoundaryTracker, NdjsonTracker, Passed};
///
/// let mut tracker = NdjsonTracker::new();
/// assert_eq!(tracker.boundary(), Boundary::Here);
///
/// assert_eq!(tracker.feed(&mut Bytes::from("{\"n\":")), Passed::Real);
/// assert_eq!(tracker.boundary(), Boundary::Within);
/// tracker.feed(&mut Bytes::from("42}\r\n"));
/// assert_eq!(tracker.boundary(), Boundary::Here);
///
/// // Somebody else's heartbeat.
/// assert_eq!(tracker.feed(&mut Bytes::from("\n")), Passed::Bytes);
/// ```
///
/// [`NdjsonHeartbeat`]: crate::NdjsonHeartbeat
/// [`SseTracker`]: crate::SseTracker
#[derive(Debug, Clone)]
pub struct NdjsonTracker {
    opening: Opening,
    line: Line,
}

const _: () = assert!(size_of::<NdjsonTracker>() <= 4);

#[derive(Debug, Clone, Copy)]
enum Line {
    Start,
    /// Nothing but whitespace so far.
    Blank,
    Real,
}

impl NdjsonTracker {
    /// For a stream of which nothing was sent yet.
    #[must_use = "a tracker that is fed nothing knows nothing"]
    pub const fn new() -> Self {
        Self { opening: Opening::START, line: Line::Start }
    }

    /// Whether one of the bytes is of a real event. From the first that is, up to the end of the last
    /// whole line, there is nothing to find out: those bytes are not looked at.
    fn follow(&mut self, mut bytes: &[u8]) -> bool {
        let mut any_real = false;
        while let Some(&first) = bytes.first() {
            let seen = match (self.line, first) {
                (Line::Start | Line::Blank, b'\n') => {
                    self.line = Line::Start;
                    1
                }
                (Line::Start | Line::Blank, b' ' | b'\t' | b'\r') => {
                    self.line = Line::Blank;
                    1
                }
                (Line::Start | Line::Blank | Line::Real, _) => {
                    any_real = true;
                    let end = memrchr(b'\n', bytes);
                    self.line = if end.is_some() { Line::Start } else { Line::Real };
                    end.map_or(bytes.len(), |at| at + 1)
                }
            };
            bytes = &bytes[seen..];
        }
        any_real
    }
}

impl Default for NdjsonTracker {
    fn default() -> Self {
        Self::new()
    }
}

impl BoundaryTracker for NdjsonTracker {
    #[inline]
    fn feed(&mut self, bytes: &mut Bytes) -> Passed {
        let (before, skipped) = self.opening.feed(bytes);
        let real = self.follow(before) | self.follow(&bytes[skipped..]);
        Passed::new(bytes, real)
    }

    #[inline]
    fn boundary(&self) -> Boundary {
        match self.line {
            Line::Start if !self.opening.is_cut() => Boundary::Here,
            Line::Start | Line::Blank | Line::Real => Boundary::Within,
        }
    }

    fn on_heartbeat(&mut self) {
        self.opening.on_heartbeat();
    }
}
