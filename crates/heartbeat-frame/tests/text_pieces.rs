//! Text streams in pieces: a piece may end inside a byte order mark, or contain several lines.

use bytes::Bytes;
use heartbeat_frame::{
    Boundary, BoundaryTracker, Content, NdjsonTracker, SseHeartbeat, SseTracker, Tracker,
};

use Boundary::{InsideMessage, Open};
use Content::{Event, NonEvent};

fn for_events() -> SseTracker {
    SseTracker::new(&SseHeartbeat::event("heartbeat", "").expect("one line each"))
}

/// Feeds text that is forwarded unchanged, and returns its content and the boundary after it.
fn feed(tracker: &mut impl BoundaryTracker, text: &[u8]) -> (Content, Boundary) {
    let mut left = Bytes::copy_from_slice(text);
    let content = tracker.feed(&mut left);
    assert_eq!(left, text, "forwarded unchanged");
    (content, tracker.boundary())
}

#[test]
fn a_start_of_a_byte_order_mark_is_forwarded_once_and_belongs_to_the_first_line() {
    let trackers: [Tracker; 2] = [for_events().into(), NdjsonTracker::new().into()];
    for start in [b"\xef".as_slice(), b"\xef\xbb"] {
        for mut tracker in trackers.clone() {
            assert_eq!(feed(&mut tracker, start), (NonEvent, InsideMessage));
            assert_eq!(feed(&mut tracker, b"x"), (Event, InsideMessage));
            assert_eq!(feed(&mut tracker, b"\n\n"), (Event, Open));
        }
    }
}

#[test]
fn a_whole_event_after_a_comment_leaves_no_event_open() {
    for (piece, boundary) in [
        (b":\ndata: x\n\n".as_slice(), Open),
        (b":\ndata: x\n", InsideMessage),
        (b":\ndata: x\r\n\r\n", Open),
        (b":\ndata: x\n\n:", InsideMessage),
        (b":\ndata: x\n\n:\n", Open),
        (b":\ndata: x\n\ndata: y\n", InsideMessage),
        (b":\ndata: x\n\ndata: y\n\n", Open),
    ] {
        let text = piece.escape_ascii();
        assert_eq!(feed(&mut for_events(), piece), (Event, boundary), "{text}");
    }
}
