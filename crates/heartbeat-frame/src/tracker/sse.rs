use std::mem::size_of;

use bytes::Bytes;
use memchr::{memchr2, memrchr_iter};

use super::opening::Opening;
use super::{Boundary, BoundaryTracker, Passed};
use crate::SseHeartbeat;

/// Follows the lines of server-sent events: a comment may stand at the start of any line, the other
/// forms of an [`SseHeartbeat`] only where no event is open.
///
/// A line ends with CR LF, LF or CR. After a CR nothing may stand, since an LF may follow that belongs
/// to it: a producer that ends its lines with CR alone gets heartbeats at offset 0 only. An event is
/// open from its first field up to a blank line.
///
/// Comments are no real events, nor are blank lines where no event is open. A line with a field is one,
/// also that of a named heartbeat. Any bytes are lines of some kind, so the boundary is never unknown.
///
/// # Byte order mark
///
/// One at offset 0 is passed on, and the stream starts after it. Behind a heartbeat that stands at
/// offset 0 it is dropped, or the client would take it for the name of a field: the tracker has to hear
/// of that heartbeat ([`on_heartbeat`](BoundaryTracker::on_heartbeat)). A mark that comes in pieces is
/// withheld until it is whole, or none.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use heartbeat_frame::{Boundary, BoundaryTracker, Passed, SseHeartbeat, SseTracker};
///
/// let mut tracker = SseTracker::new(&SseHeartbeat::default());
/// assert_eq!(tracker.boundary(), Boundary::Here);
/// tracker.on_heartbeat();
///
/// let mut bytes = Bytes::from("\u{feff}data: 4");
/// assert_eq!(tracker.feed(&mut bytes), Passed::Real);
/// assert_eq!(bytes, "data: 4"); // a heartbeat stands where the mark would have to
/// assert_eq!(tracker.boundary(), Boundary::Within);
///
/// tracker.feed(&mut Bytes::from("2\r"));
/// assert_eq!(tracker.boundary(), Boundary::Within);
/// tracker.feed(&mut Bytes::from("\n"));
/// assert_eq!(tracker.boundary(), Boundary::Here); // for a comment, also within the event
///
/// tracker.feed(&mut Bytes::from("\r\n"));
/// assert_eq!(tracker.feed(&mut Bytes::from(":\n")), Passed::Bytes);
/// ```
#[derive(Debug, Clone)]
pub struct SseTracker {
    opening: Opening,
    line: Line,
    /// Whether a blank line would end an event.
    open: bool,
    /// Whether the heartbeat would end an event.
    ends_events: bool,
}

const _: () = assert!(size_of::<SseTracker>() <= 8);

#[derive(Debug, Clone, Copy)]
enum Line {
    /// Nothing of the line has come, and what came before has ended.
    Start,
    Within {
        real: bool,
    },
    /// The line has ended, but an LF may still belong to it.
    AfterCr {
        real: bool,
    },
}

impl SseTracker {
    /// For heartbeats of that form.
    #[must_use = "a tracker that is fed nothing knows nothing"]
    pub fn new(beat: &SseHeartbeat) -> Self {
        Self {
            opening: Opening::START,
            line: Line::Start,
            open: false,
            ends_events: beat.ends_events(),
        }
    }

    /// Whether one of the bytes is of a real event.
    #[inline]
    fn follow(&mut self, bytes: &[u8]) -> bool {
        match (self.line, bytes.first()) {
            (_, None) => false,
            (Line::Start, Some(first)) if is_field(*first) && ends_event(bytes) => {
                self.open = false; // events, and whole ones, as most pieces are
                true
            }
            _ => self.follow_lines(bytes),
        }
    }

    /// From the first byte of a real event up to the end of the last whole one, there is nothing to find
    /// out: what is between is not looked at.
    fn follow_lines(&mut self, mut bytes: &[u8]) -> bool {
        let (mut any_real, mut has_skipped) = (false, false);
        while let Some(&first) = bytes.first() {
            let seen = match (self.line, first) {
                (Line::Start, b'\r' | b'\n') => {
                    any_real |= self.open;
                    self.line = Line::ended(first, self.open);
                    self.open = false;
                    1
                }
                (Line::Start, _) => {
                    let real = is_field(first);
                    self.line = Line::Within { real };
                    self.open |= real;
                    0
                }
                (Line::Within { real: true }, _) if !has_skipped => {
                    (any_real, has_skipped) = (true, true);
                    let whole = events_end(bytes);
                    if whole > 0 {
                        (self.line, self.open) = (Line::Start, false);
                    }
                    whole
                }
                (Line::Within { real }, _) => {
                    any_real |= real;
                    match memchr2(b'\r', b'\n', bytes) {
                        Some(at) => {
                            self.line = Line::ended(bytes[at], real);
                            at + 1
                        }
                        None => bytes.len(),
                    }
                }
                (Line::AfterCr { real }, b'\n') => {
                    any_real |= real;
                    self.line = Line::Start;
                    1
                }
                (Line::AfterCr { .. }, _) => {
                    self.line = Line::Start;
                    0
                }
            };
            bytes = &bytes[seen..];
        }
        any_real
    }
}

/// Whether a line that begins so is of an event.
fn is_field(first: u8) -> bool {
    !matches!(first, b':' | b'\r' | b'\n')
}

/// Where the last event ends that does so by a blank line with an LF; at 0, if none does.
fn events_end(bytes: &[u8]) -> usize {
    let mut ends = memrchr_iter(b'\n', bytes).map(|lf| lf + 1);
    ends.find(|&end| ends_event(&bytes[..end])).unwrap_or(0)
}

/// Whether bytes that begin at a line or within it end with a blank one.
fn ends_event(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\n\n") || bytes.ends_with(b"\n\r\n")
}

impl Line {
    fn ended(with: u8, real: bool) -> Self {
        if with == b'\n' { Self::Start } else { Self::AfterCr { real } }
    }
}

impl BoundaryTracker for SseTracker {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the bytes stay in registers: measured")]
    fn feed(&mut self, bytes: &mut Bytes) -> Passed {
        let (before, skipped) = self.opening.feed(bytes);
        let real = self.follow(before) | self.follow(&bytes[skipped..]);
        Passed::new(bytes, real)
    }

    #[inline]
    fn boundary(&self) -> Boundary {
        match self.line {
            Line::Start if self.opening.is_cut() || (self.ends_events && self.open) => {
                Boundary::Within
            }
            Line::Start => Boundary::Here,
            Line::Within { .. } | Line::AfterCr { .. } => Boundary::Within,
        }
    }

    fn on_heartbeat(&mut self) {
        self.opening.on_heartbeat();
    }
}
