use std::mem::size_of;

use bytes::Bytes;
use memchr::{memchr2, memrchr_iter};

use super::bom::BomFilter;
use super::{Boundary, BoundaryTracker, Content};
use crate::SseHeartbeat;

/// Tracks the lines of server-sent events. A comment may be inserted at the start of any line; the
/// other forms of an [`SseHeartbeat`] only while no event is open.
///
/// A line ends with CR LF, LF or CR. Nothing may be inserted after a CR, because an LF that belongs to
/// it may follow: streams that end their lines with CR alone get heartbeats at offset 0 only. An event
/// is open from its first field to a blank line.
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
/// tracker.feed(&mut Bytes::from("\r\n"));
/// assert_eq!(tracker.feed(&mut Bytes::from(":\n")), Content::NonEvent);
/// ```
#[derive(Debug, Clone)]
pub struct SseTracker {
    bom: BomFilter,
    line: SseLineState,
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
            event_open: false,
            breaks_event: heartbeat.breaks_event(),
        }
    }

    /// Parses bytes, and returns whether one of them is part of an event.
    #[inline]
    fn advance(&mut self, bytes: &[u8]) -> bool {
        match (self.line, bytes.first()) {
            (_, None) => false,
            (SseLineState::Start, Some(first)) if is_field(*first) && ends_event(bytes) => {
                self.event_open = false; // whole events, as in most pieces
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
                    self.line = SseLineState::ended(first, self.event_open);
                    self.event_open = false;
                    1
                }
                (SseLineState::Start, _) => {
                    let is_event = is_field(first);
                    self.line = SseLineState::Within { is_event };
                    self.event_open |= is_event;
                    0
                }
                (SseLineState::Within { is_event: true }, _) if !has_skipped => {
                    (any_event, has_skipped) = (true, true);
                    let whole = events_end(bytes);
                    if whole > 0 {
                        (self.line, self.event_open) = (SseLineState::Start, false);
                    }
                    whole
                }
                (SseLineState::Within { is_event }, _) => {
                    any_event |= is_event;
                    match memchr2(b'\r', b'\n', bytes) {
                        Some(at) => {
                            self.line = SseLineState::ended(bytes[at], is_event);
                            at + 1
                        }
                        None => bytes.len(),
                    }
                }
                (SseLineState::AfterCr { is_event }, b'\n') => {
                    any_event |= is_event;
                    self.line = SseLineState::Start;
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
}

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

impl SseLineState {
    fn ended(with: u8, is_event: bool) -> Self {
        if with == b'\n' { Self::Start } else { Self::AfterCr { is_event } }
    }
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
            SseLineState::Within { .. } | SseLineState::AfterCr { .. } => Boundary::InsideMessage,
        }
    }

    fn on_heartbeat(&mut self) {
        self.bom.on_heartbeat();
    }
}
