//! Base64 text of every length in one piece: the tracker decodes whole blocks of it at once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use heartbeat_frame::{Boundary, BoundaryTracker, Content, GrpcWebTextTracker, HeartbeatMessage};

/// Feeds text, and returns its content and the boundary after it.
fn feed(tracker: &mut GrpcWebTextTracker, text: &[u8]) -> (Content, Boundary) {
    let content = tracker.feed(&mut Bytes::copy_from_slice(text));
    (content, tracker.boundary())
}

/// The base64 of an envelope with a payload of `length` zeros. Groups of zeros stay valid if the tracker cuts them at
/// the wrong place, so only the count of the payload detects the mistake.
fn text(length: u32) -> Vec<u8> {
    let mut envelope = vec![0];
    envelope.extend(length.to_be_bytes());
    envelope.extend(vec![0; length as usize]);
    STANDARD.encode(envelope).into_bytes()
}

#[test]
fn a_message_of_any_length_ends_with_its_last_character() {
    for length in 0..1600 {
        let mut tracker = GrpcWebTextTracker::new(&HeartbeatMessage::default());
        for start in [0, 1, 2, 3] {
            let text = text(length);
            let (first, rest) = text.split_at(start);
            let (rest, last) = rest.split_at(rest.len() - 1);
            let _ = feed(&mut tracker, first);
            assert_eq!(feed(&mut tracker, rest).1, Boundary::InsideMessage, "{length}, {start}");
            let end = feed(&mut tracker, last);
            assert_eq!(end, (Content::Event, Boundary::Open), "{length}, {start}");
        }
    }
}

#[test]
fn messages_with_padding_between_them_may_be_one_piece() {
    for length in 0..400 {
        let piece = [text(length), text(1), text(length), text(2), text(0)].concat();
        let mut tracker = GrpcWebTextTracker::new(&HeartbeatMessage::default());
        assert_eq!(feed(&mut tracker, &piece), (Content::Event, Boundary::Open), "{length}");
        assert_eq!(feed(&mut tracker, &piece[..1]).1, Boundary::InsideMessage, "{length}");
    }
}

#[test]
fn t21_every_byte_of_the_heartbeat_is_compared_in_every_position_of_a_group() {
    // 256 is not a multiple of 3, so each value is the first, second and third byte of a group.
    let payload = (0..=u8::MAX).cycle().take(3 * 256).collect::<Vec<_>>();
    let heartbeat = HeartbeatMessage::from_payload(payload).expect("a short payload");
    let text = heartbeat.envelope_base64();
    for piece in [1, 2, 3, 4, 5, 64, text.len()] {
        let mut tracker = GrpcWebTextTracker::new(&heartbeat);
        for bytes in text.chunks(piece) {
            assert_eq!(feed(&mut tracker, bytes).0, Content::NonEvent, "pieces of {piece}");
        }
        assert_eq!(tracker.boundary(), Boundary::Open, "pieces of {piece}");
    }
}
