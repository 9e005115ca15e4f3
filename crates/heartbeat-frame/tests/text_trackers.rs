//! The boundaries in text streams, and which parts are events.

use bytes::Bytes;
use heartbeat_frame::{
    Boundary, BoundaryTracker, Content, GrpcWebTextTracker, HeartbeatMessage, LineEnd,
    NdjsonHeartbeat, NdjsonTracker, SseHeartbeat, SseTracker, Tracker,
};

use Boundary::{EndOfStream, InsideMessage, Open, Unknown};
use Content::{Empty, Event};

fn base64() -> GrpcWebTextTracker {
    GrpcWebTextTracker::new(&HeartbeatMessage::empty())
}

fn for_comments() -> SseTracker {
    SseTracker::new(&SseHeartbeat::default())
}

fn for_events() -> SseTracker {
    SseTracker::new(&SseHeartbeat::event("heartbeat", "").expect("one line each"))
}

/// Feeds text that is forwarded unchanged, and returns its content and the boundary after it.
fn feed(tracker: &mut impl BoundaryTracker, text: impl AsRef<[u8]>) -> (Content, Boundary) {
    let text = text.as_ref();
    let (left, content, boundary) = forwarded(tracker, text);
    assert_eq!(left, text, "forwarded unchanged");
    (content, boundary)
}

/// Feeds text, and returns what is left to forward, its content, and the boundary after it.
fn forwarded(tracker: &mut impl BoundaryTracker, text: &[u8]) -> (Bytes, Content, Boundary) {
    let mut left = Bytes::copy_from_slice(text);
    let content = tracker.feed(&mut left);
    (left, content, tracker.boundary())
}

#[test]
fn base64_is_open_where_an_envelope_and_a_group_end() {
    let mut tracker = base64();
    assert_eq!(tracker.boundary(), Open);
    assert_eq!(feed(&mut tracker, "AAAAAAJoa"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "Q"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "="), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "="), (Event, Open));
    assert_eq!(feed(&mut tracker, "AAAAAARraWtv"), (Event, Open)); // 9 bytes need no padding
}

#[test]
fn base64_is_not_open_inside_a_group_with_the_next_envelope() {
    // Two messages of 7 bytes: the third group contains the end of one and the start of the other.
    let mut tracker = base64();
    assert_eq!(feed(&mut tracker, "AAAAAAJoa"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "QAA"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "AAACaGk="), (Event, Open));
}

#[test]
fn base64_has_64_characters() {
    let mut tracker = base64();
    let message = b"AAAAADEAABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (last, rest) = message.split_last().expect("not empty");
    for character in rest {
        assert_ne!(feed(&mut tracker, [*character]).1, Unknown);
    }
    assert_eq!(feed(&mut tracker, [*last]), (Event, Open));
}

#[test]
fn base64_may_be_padded_anywhere() {
    let mut tracker = base64();
    for group in ["AA==", "AAA=", "AAI=", "aA=="] {
        assert_eq!(feed(&mut tracker, group).1, InsideMessage);
    }
    assert_eq!(feed(&mut tracker, "aQ=="), (Event, Open));
}

#[test]
fn base64_ends_with_the_group_of_the_trailers() {
    let mut tracker = base64();
    assert_eq!(feed(&mut tracker, "gAAAAAA"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "="), (Event, EndOfStream));
    assert_eq!(feed(&mut tracker, ""), (Empty, EndOfStream));
    assert_eq!(feed(&mut tracker.clone(), "A"), (Event, Unknown));
    assert_eq!(feed(&mut tracker, "="), (Event, Unknown));
    // The last group contains an extra byte.
    assert_eq!(feed(&mut base64(), "gAAAAAAA"), (Event, Unknown));
}

#[test]
fn invalid_base64_makes_the_boundary_unknown_for_good() {
    for malformed in [
        "\n", "AAAA\n", " AAAA", "AA A", "=", "A=", "A===", "AA=A", "AAA==", "====", "AAA-",
        "AAA_", "AB==", "AAB=", "AAAAé", "AAAA\0",
    ] {
        let mut tracker = base64();
        assert_eq!(feed(&mut tracker, malformed), (Event, Unknown), "{malformed:?}");
        assert_eq!(feed(&mut tracker, "AAAAAAA="), (Event, Unknown), "{malformed:?}");
    }
}

#[test]
fn t21_base64_of_the_heartbeat_is_no_event() {
    let heartbeat = HeartbeatMessage::default();
    let mut tracker = GrpcWebTextTracker::new(&heartbeat);
    assert_eq!(feed(&mut tracker, heartbeat.envelope_base64()), (Content::NonEvent, Open));
    assert_eq!(feed(&mut tracker, "AAAAAAJoaQ=="), (Event, Open));
    assert_eq!(feed(&mut tracker, "A"), (Content::NonEvent, InsideMessage)); // may become the heartbeat
    assert_eq!(feed(&mut tracker, &heartbeat.envelope_base64()[1..]), (Content::NonEvent, Open));
}

#[test]
fn a_comment_may_follow_every_complete_line_end() {
    let mut tracker = for_comments();
    assert_eq!(tracker.boundary(), Open);
    assert_eq!(feed(&mut tracker, "data: x"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "\n"), (Event, Open));
    assert_eq!(feed(&mut tracker, "data: y\r\n"), (Event, Open));
    assert_eq!(feed(&mut tracker, "\r\n"), (Event, Open));
    assert_eq!(feed(&mut tracker, ": z"), (Content::NonEvent, InsideMessage));
}

#[test]
fn nothing_may_follow_a_cr() {
    for mut tracker in [for_comments(), for_events()] {
        assert_eq!(feed(&mut tracker, "data: x\r"), (Event, InsideMessage));
        assert_eq!(feed(&mut tracker, "\r"), (Event, InsideMessage));
        assert_eq!(feed(&mut tracker, "\n"), (Event, Open)); // it belongs to the second
        assert_eq!(feed(&mut tracker, "\r"), (Content::NonEvent, InsideMessage));
        assert_eq!(feed(&mut tracker, "data: x\r\rdata: y\r\r"), (Event, InsideMessage));
    }
}

#[test]
fn blocks_and_events_may_be_inserted_while_no_event_is_open() {
    for heartbeat in [
        SseHeartbeat::comment_block("").expect("one line"),
        SseHeartbeat::event("heartbeat", "").expect("one line each"),
    ] {
        let mut tracker = SseTracker::new(&heartbeat);
        assert_eq!(tracker.boundary(), Open);
        assert_eq!(feed(&mut tracker, ":\n"), (Content::NonEvent, Open)); // opens no event
        assert_eq!(feed(&mut tracker, "data: x\n"), (Event, InsideMessage));
        assert_eq!(feed(&mut tracker, ":\n"), (Content::NonEvent, InsideMessage));
        assert_eq!(feed(&mut tracker, "\n"), (Event, Open));
        assert_eq!(feed(&mut tracker, "id\r\n"), (Event, InsideMessage));
        assert_eq!(feed(&mut tracker, "\r\n"), (Event, Open));
        assert_eq!(feed(&mut tracker, "foo: 1\r\r\n"), (Event, Open));
    }
}

#[test]
fn a_retry_line_opens_no_event() {
    let mut tracker = for_events();
    for retry in ["retry: 3000\n", "retry:\r\n", "retry\n"] {
        assert_eq!(feed(&mut tracker, retry), (Event, Open), "{retry:?}");
    }
    assert_eq!(feed(&mut tracker, "\n"), (Content::NonEvent, Open)); // it ends nothing
    for part in ["r", "etr", "y", ": 3000"] {
        assert_eq!(feed(&mut tracker, part), (Event, InsideMessage), "{part:?}");
    }
    assert_eq!(feed(&mut tracker, "\n"), (Event, Open));
    assert_eq!(feed(&mut tracker, "data: x\nretry: 3000\n"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "\n"), (Event, Open));
    for other in ["r\n", "retr: 1\n", "retry2\n", "retry: 1\nid\n", " retry: 1\n"] {
        assert_eq!(feed(&mut tracker.clone(), other), (Event, InsideMessage), "{other:?}");
    }
}

#[test]
fn the_line_end_is_that_of_the_last_line() {
    let mut tracker = for_comments();
    assert_eq!(tracker.line_end(), LineEnd::Lf);
    for (text, line_end) in [
        ("data: x\r\n", LineEnd::CrLf),
        ("\r\n", LineEnd::CrLf),
        ("data: x\n", LineEnd::Lf),
        ("data: x\r", LineEnd::Lf),
        ("\n", LineEnd::CrLf),
        ("\n", LineEnd::Lf),
        ("data: x\r\n\r\n", LineEnd::CrLf),
        ("data: x", LineEnd::CrLf),
        ("data: x\n\n", LineEnd::Lf),
        (":\r\ndata: x\n\ndata: y\r\n\r\ndata", LineEnd::CrLf),
        ("\n:\r\n", LineEnd::CrLf),
    ] {
        let _ = feed(&mut tracker, text);
        assert_eq!(tracker.line_end(), line_end, "{text:?}");
    }
}

#[test]
fn t21_comments_and_blank_lines_are_no_events() {
    let mut tracker = for_comments();
    assert_eq!(feed(&mut tracker, ":\n"), (Content::NonEvent, Open));
    assert_eq!(feed(&mut tracker, ":data: x\r\n\r\n\n"), (Content::NonEvent, Open));
    assert_eq!(feed(&mut tracker, ":\n\n:"), (Content::NonEvent, InsideMessage));
    assert_eq!(feed(&mut tracker, "\ndata"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "\n:\n"), (Event, Open)); // the LF ends the field
    assert_eq!(feed(&mut tracker, ":\n"), (Content::NonEvent, Open));
    assert_eq!(feed(&mut tracker, "\n"), (Event, Open)); // it ends the event
    assert_eq!(feed(&mut tracker, "\n"), (Content::NonEvent, Open));
}

#[test]
fn a_line_of_json_ends_with_its_lf() {
    let mut tracker = NdjsonTracker::new();
    assert_eq!(tracker.boundary(), Open);
    assert_eq!(feed(&mut tracker, "{\"a\":1}"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "\r"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "\n"), (Event, Open));
    assert_eq!(feed(&mut tracker, "1\n\n2\n"), (Event, Open));
    assert_eq!(feed(&mut tracker, "3\n "), (Event, Open));
    assert_eq!(feed(&mut tracker, "4 "), (Event, InsideMessage)); // inside a string, perhaps
}

#[test]
fn t21_blank_json_lines_are_no_events() {
    let mut tracker = NdjsonTracker::default();
    assert_eq!(feed(&mut tracker, "\n"), (Content::NonEvent, Open));
    assert_eq!(feed(&mut tracker, " "), (Content::NonEvent, Open));
    assert_eq!(feed(&mut tracker, "\t\r"), (Content::NonEvent, InsideMessage));
    assert_eq!(feed(&mut tracker, "\n\r"), (Content::NonEvent, InsideMessage));
    assert_eq!(feed(&mut tracker, "\n"), (Content::NonEvent, Open));
    assert_eq!(feed(&mut tracker, "\r "), (Content::NonEvent, Open));
    assert_eq!(feed(&mut tracker, "\r7"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "\n"), (Event, Open));
    assert_eq!(feed(&mut tracker, "  7"), (Event, InsideMessage));
    assert_eq!(feed(&mut tracker, "\n\n"), (Event, Open)); // the first LF ends the line
    assert_eq!(feed(&mut tracker, "\n"), (Content::NonEvent, Open));
}

#[test]
fn white_space_that_has_begun_a_line_is_continued() {
    for form in [NdjsonHeartbeat::BlankLine, NdjsonHeartbeat::Space] {
        let mut tracker = NdjsonTracker::new();
        let heartbeat_after = |tracker: &mut NdjsonTracker, text| {
            let _ = feed(tracker, text);
            tracker.heartbeat_here(form)
        };
        assert_eq!(heartbeat_after(&mut tracker, ""), form);
        assert_eq!(heartbeat_after(&mut tracker, " "), NdjsonHeartbeat::Space);
        tracker.on_heartbeat();
        assert_eq!(heartbeat_after(&mut tracker, ""), NdjsonHeartbeat::Space);
        assert_eq!(heartbeat_after(&mut tracker, "\t"), NdjsonHeartbeat::Space);
        assert_eq!(heartbeat_after(&mut tracker, "\r\n"), form);
        assert_eq!(heartbeat_after(&mut tracker, "1\n"), form);
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

fn text_trackers() -> [Tracker; 3] {
    [for_comments().into(), for_events().into(), NdjsonTracker::new().into()]
}

#[test]
fn a_stream_starts_after_its_byte_order_mark() {
    for tracker in text_trackers() {
        assert_eq!(feed(&mut tracker.clone(), BOM), (Content::NonEvent, Open));

        let mut tracker = tracker;
        assert_eq!(feed(&mut tracker, &BOM[..1]), (Content::NonEvent, InsideMessage));
        assert_eq!(feed(&mut tracker, &BOM[1..2]), (Content::NonEvent, InsideMessage));
        assert_eq!(feed(&mut tracker, [&BOM[2..], b"\n"].concat()), (Content::NonEvent, Open));
        assert_eq!(feed(&mut tracker, BOM), (Event, InsideMessage)); // a mark only at the start
    }
}

#[test]
fn a_byte_order_mark_after_a_heartbeat_is_removed() {
    for tracker in text_trackers() {
        for cut in 0..=BOM.len() {
            let mut tracker = tracker.clone();
            tracker.on_heartbeat();
            if cut > 0 {
                let boundary = if cut < BOM.len() { InsideMessage } else { Open };
                let left = forwarded(&mut tracker, &BOM[..cut]);
                assert_eq!(left, (Bytes::new(), Empty, boundary));
            }
            let rest = [&BOM[cut..], b"data: 1\n\n"].concat();
            let (left, content, _) = forwarded(&mut tracker, &rest);
            assert_eq!((left, content), (Bytes::from("data: 1\n\n"), Event));
            assert_eq!(tracker.boundary(), Open);
        }
    }
}

#[test]
fn bytes_that_turn_out_to_be_no_byte_order_mark_are_forwarded() {
    for tracker in text_trackers() {
        for cut in 1..BOM.len() {
            let mut tracker = tracker.clone();
            tracker.on_heartbeat();
            assert_eq!(forwarded(&mut tracker, &BOM[..cut]).0, "");
            assert_eq!(forwarded(&mut tracker, b"").0, "");
            let (left, content, boundary) = forwarded(&mut tracker, b"x");
            assert_eq!(left, [&BOM[..cut], b"x"].concat());
            assert_eq!((content, boundary), (Event, InsideMessage));
        }
    }
}

#[test]
fn a_heartbeat_after_the_start_removes_no_byte_order_mark() {
    for mut tracker in text_trackers() {
        assert_eq!(feed(&mut tracker, "data: 1\n\n"), (Event, Open));
        tracker.on_heartbeat();
        assert_eq!(feed(&mut tracker, BOM), (Event, InsideMessage));
    }
}

#[test]
fn pieces_are_forwarded_without_copying() {
    for mut tracker in text_trackers() {
        tracker.on_heartbeat();
        let stream = Bytes::from([BOM, b"data: 1\n"].concat());
        let mut piece = stream.clone();
        tracker.feed(&mut piece);
        assert_eq!(piece.as_ptr(), stream[3..].as_ptr());
        let mut piece = stream.clone();
        tracker.feed(&mut piece);
        assert_eq!(piece.as_ptr(), stream.as_ptr());
    }
}

#[test]
fn types_are_send_and_sync() {
    fn check<T: Send + Sync + Unpin + Clone + std::fmt::Debug + 'static>() {}
    check::<Tracker>();
    check::<Content>();
    check::<Boundary>();
    let _: Option<Box<dyn BoundaryTracker>> = None;
}
