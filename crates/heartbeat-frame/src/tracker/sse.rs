use std::mem::size_of;

use bytes::Bytes;
use memchr::{memchr2, memrchr_iter};

use super::bom::BomFilter;
use super::{Boundary, BoundaryTracker, Content};
use crate::{LineEnd, SseHeartbeat};

/// Tracks the lines of server-sent events. A comment may be inserted at the start of any line; the
/// other forms of an [`SseHeartbeat`] only while no event is open.
///
/// A line ends with CR LF, LF or CR. Nothing may be inserted after a CR, because an LF that belongs to
/// it may follow: streams that end their lines with CR alone get heartbeats at offset 0 only. A
/// heartbeat should have the [`line_end`](Self::line_end) of the stream.
///
/// An event is open from its first field to a blank line. The field `retry` opens none: it takes effect
/// at the end of its line. Fields that the standard does not define do, since clients that know them may
/// exist.
///
/// Comments are no events, and neither are blank lines while no event is open. A line with a field is
/// part of an event, also in a named heartbeat. Any bytes form lines, so the boundary is never unknown.
///
/// # Byte order mark
///
/// A mark at offset 0 is forwarded, and the stream starts after it. After a heartbeat at offset 0 the
/// mark is removed, because the client would read it as part of a field name; the tracker must know of
/// that heartbeat ([`on_heartbeat`](BoundaryTracker::on_heartbeat)). Parts of a mark are withheld until
/// it is complete, or turns out not to be a mark.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use heartbeat_frame::{Boundary, BoundaryTracker, Content, SseHeartbeat, SseTracker};
///
/// let mut tracker = SseTracker::new(&SseHeartbeat::default());
/// assert_eq!(tracker.boundary(), Boundary::Open);
/// tracker.on_heartbeat();
///
/// let mut bytes = Bytes::from("\u{feff}data: 4");
/// assert_eq!(tracker.feed(&mut bytes), Content::Event);
/// assert_eq!(bytes, "data: 4"); // the mark was removed: it would follow a heartbeat
/// assert_eq!(tracker.boundary(), Boundary::InsideMessage);
///
/// tracker.feed(&mut Bytes::from("2\r"));
/// assert_eq!(tracker.boundary(), Boundary::InsideMessage);
/// tracker.feed(&mut Bytes::from("\n"));
/// assert_eq!(tracker.boundary(), Boundary::Open); // for a comment, inside the event
///
/// assert_eq!(SseHeartbeat::default().bytes_with(tracker.line_end()), ":\r\n");
///
/// tracker.feed(&mut Bytes::from("\r\n"));
/// assert_eq!(tracker.feed(&mut Bytes::from(":\n")), Content::NonEvent);
/// ```
#[derive(Debug, Clone)]
pub struct SseTracker {
    bom: BomFilter,
    line: SseLineState,
    /// The end of the last line that did not end with CR alone.
    line_end: LineEnd,
    /// Whether a blank line would end an event.
    event_open: bool,
    /// Whether the heartbeat contains a blank line, which would end an open event.
    breaks_event: bool,
}

const _: () = assert!(size_of::<SseTracker>() <= 8);

#[derive(Debug, Clone, Copy)]
enum SseLineState {
    /// At the start of a line.
    Start,
    /// Inside a name that may become `retry`.
    Retry {
        /// The length of the part that was seen.
        seen: u8,
    },
    Within {
        is_event: bool,
    },
    /// The line has ended with a CR, and an LF may still belong to it.
    AfterCr {
        is_event: bool,
    },
}

impl SseTracker {
    /// For a new stream, and heartbeats of this form.
    #[must_use = "a tracker must be fed"]
    pub fn new(heartbeat: &SseHeartbeat) -> Self {
        Self {
            bom: BomFilter::START,
            line: SseLineState::Start,
            line_end: LineEnd::Lf,
            event_open: false,
            breaks_event: heartbeat.breaks_event(),
        }
    }

    /// The line end of the last line, for the next heartbeat. LF before the first line has ended.
    #[must_use = "a heartbeat with another line end can confuse clients"]
    pub const fn line_end(&self) -> LineEnd {
        self.line_end
    }

    /// Parses bytes, and returns whether one of them is part of an event.
    #[inline]
    fn advance(&mut self, bytes: &[u8]) -> bool {
        match (self.line, bytes.first()) {
            (_, None) => false,
            (SseLineState::Start, Some(first)) if is_field(*first) && ends_event(bytes) => {
                // Whole events, as in most pieces.
                (self.event_open, self.line_end) = (false, line_end(bytes));
                true
            }
            _ => self.advance_lines(bytes),
        }
    }

    /// Skips the bytes from the first byte of an event to the end of the last whole event, because they
    /// cannot change the result.
    fn advance_lines(&mut self, mut bytes: &[u8]) -> bool {
        let (mut any_event, mut has_skipped) = (false, false);
        while let Some(&first) = bytes.first() {
            let seen = match (self.line, first) {
                (SseLineState::Start, b'\r' | b'\n') => {
                    any_event |= self.event_open;
                    self.end_line(first, self.event_open);
                    self.event_open = false;
                    1
                }
                (SseLineState::Start, b'r') => {
                    self.line = SseLineState::Retry { seen: 0 };
                    0
                }
                (SseLineState::Start, _) => {
                    let is_event = is_field(first);
                    self.line = SseLineState::Within { is_event };
                    self.event_open |= is_event;
                    0
                }
                (SseLineState::Retry { seen }, _)
                    if RETRY.get(usize::from(seen)) == Some(&first) =>
                {
                    any_event = true;
                    self.line = SseLineState::Retry { seen: seen + 1 };
                    1
                }
                (SseLineState::Retry { seen }, _) => {
                    let is_retry =
                        usize::from(seen) == RETRY.len() && matches!(first, b':' | b'\r' | b'\n');
                    self.line = SseLineState::Within { is_event: true };
                    self.event_open |= !is_retry;
                    0
                }
                (SseLineState::Within { is_event: true }, _) if !has_skipped => {
                    (any_event, has_skipped) = (true, true);
                    let whole = events_end(bytes);
                    if whole > 0 {
                        (self.line, self.event_open) = (SseLineState::Start, false);
                        self.line_end = line_end(&bytes[..whole]);
                    }
                    whole
                }
                (SseLineState::Within { is_event }, _) => {
                    any_event |= is_event;
                    match memchr2(b'\r', b'\n', bytes) {
                        Some(at) => {
                            self.end_line(bytes[at], is_event);
                            at + 1
                        }
                        None => bytes.len(),
                    }
                }
                (SseLineState::AfterCr { is_event }, b'\n') => {
                    any_event |= is_event;
                    (self.line, self.line_end) = (SseLineState::Start, LineEnd::CrLf);
                    1
                }
                (SseLineState::AfterCr { .. }, _) => {
                    self.line = SseLineState::Start;
                    0
                }
            };
            bytes = &bytes[seen..];
        }
        any_event
    }

    /// A line ends with this byte, CR or LF.
    fn end_line(&mut self, with: u8, is_event: bool) {
        if with == b'\n' {
            (self.line, self.line_end) = (SseLineState::Start, LineEnd::Lf);
        } else {
            self.line = SseLineState::AfterCr { is_event };
        }
    }
}

/// The name of the field that opens no event.
const RETRY: &[u8] = b"retry";

/// Whether a line that starts with this byte is part of an event.
fn is_field(first: u8) -> bool {
    !matches!(first, b':' | b'\r' | b'\n')
}

/// The end of the last event that ends with a blank line and an LF; 0 if there is none.
fn events_end(bytes: &[u8]) -> usize {
    let mut ends = memrchr_iter(b'\n', bytes).map(|lf| lf + 1);
    ends.find(|&end| ends_event(&bytes[..end])).unwrap_or(0)
}

/// Whether `bytes`, which start at or inside a line, end with a blank line.
fn ends_event(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\n\n") || bytes.ends_with(b"\n\r\n")
}

/// The line end of `bytes`, which end with an LF.
fn line_end(bytes: &[u8]) -> LineEnd {
    if bytes.ends_with(b"\r\n") { LineEnd::CrLf } else { LineEnd::Lf }
}

impl BoundaryTracker for SseTracker {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "keeps the bytes in registers, as measured")]
    fn feed(&mut self, bytes: &mut Bytes) -> Content {
        let (before, skipped) = self.bom.feed(bytes);
        let is_event = self.advance(before) | self.advance(&bytes[skipped..]);
        Content::new(bytes, is_event)
    }

    #[inline]
    fn boundary(&self) -> Boundary {
        match self.line {
            SseLineState::Start
                if self.bom.is_partial() || (self.breaks_event && self.event_open) =>
            {
                Boundary::InsideMessage
            }
            SseLineState::Start => Boundary::Open,
            SseLineState::Retry { .. }
            | SseLineState::Within { .. }
            | SseLineState::AfterCr { .. } => Boundary::InsideMessage,
        }
    }

    fn on_heartbeat(&mut self) {
        self.bom.on_heartbeat();
    }
}
