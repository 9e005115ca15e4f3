use std::mem::size_of;

use bytes::Bytes;
use memchr::{memchr2, memrchr_iter};

use super::bom::BomFilter;
use super::{Boundary, BoundaryTracker, Content};
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
/// use heartbeat_frame::{Boundary, BoundaryTracker, Content, SseHeartbeat, SseTracker};
///
/// let mut tracker = SseTracker::new(&SseHeartbeat::default());
/// assert_eq!(tracker.boundary(), Boundary::Open);
/// tracker.on_heartbeat();
///
/// let mut bytes = Bytes::from("\u{feff}data: 4");
/// assert_eq!(tracker.feed(&mut bytes), Content::Event);
/// assert_eq!(bytes, "data: 4"); // a heartbeat stands where the mark would have to
/// assert_eq!(tracker.boundary(), Boundary::InsideMessage);
///
/// tracker.feed(&mut Bytes::from("2\r"));
/// assert_eq!(tracker.boundary(), Boundary::InsideMessage);
/// tracker.feed(&mut Bytes::from("\n"));
/// assert_eq!(tracker.boundary(), Boundary::Open); // for a comment, also within the event
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
    /// Whether the heartbeat would end an event.
    breaks_event: bool,
}

const _: () = assert!(size_of::<SseTracker>() <= 8);

#[derive(Debug, Clone, Copy)]
enum SseLineState {
    /// Nothing of the line has come, and what came before has ended.
    Start,
    Within {
        is_event: bool,
    },
    /// The line has ended, but an LF may still belong to it.
    AfterCr {
        is_event: bool,
    },
}

impl SseTracker {
    /// For heartbeats of that form.
    #[must_use = "a tracker that is fed nothing knows nothing"]
    pub fn new(heartbeat: &SseHeartbeat) -> Self {
        Self {
            bom: BomFilter::START,
            line: SseLineState::Start,
            event_open: false,
            breaks_event: heartbeat.breaks_event(),
        }
    }

    /// Whether one of the bytes is of a real event.
    #[inline]
    fn advance(&mut self, bytes: &[u8]) -> bool {
        match (self.line, bytes.first()) {
            (_, None) => false,
            (SseLineState::Start, Some(first)) if is_field(*first) && ends_event(bytes) => {
                self.event_open = false; // events, and whole ones, as most pieces are
                true
            }
            _ => self.advance_lines(bytes),
        }
    }

    /// From the first byte of a real event up to the end of the last whole one, there is nothing to find
    /// out: what is between is not looked at.
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

impl SseLineState {
    fn ended(with: u8, is_event: bool) -> Self {
        if with == b'\n' { Self::Start } else { Self::AfterCr { is_event } }
    }
}

impl BoundaryTracker for SseTracker {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the bytes stay in registers: measured")]
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
