//! The boundaries between envelopes, and which envelopes are heartbeats.

use bytes::Bytes;
use heartbeat_frame::{Boundary, BoundaryTracker, Content, EnvelopeTracker, HeartbeatMessage};

use Boundary::{EndOfStream, InsideMessage, Open, Unknown};
use Content::{Empty, Event};

const HI: &[u8] = b"\0\0\0\0\x02hi";

fn grpc() -> EnvelopeTracker {
    EnvelopeTracker::grpc(&HeartbeatMessage::default())
}

fn grpc_web() -> EnvelopeTracker {
    EnvelopeTracker::grpc_web(&HeartbeatMessage::default())
}

fn connect() -> EnvelopeTracker {
    EnvelopeTracker::connect(&HeartbeatMessage::default())
}

/// Feeds bytes, and returns their content and the boundary after them.
fn feed(tracker: &mut impl BoundaryTracker, bytes: &[u8]) -> (Content, Boundary) {
    let mut left = Bytes::copy_from_slice(bytes);
    let content = tracker.feed(&mut left);
    assert_eq!(left, bytes, "envelopes are forwarded unchanged");
    (content, tracker.boundary())
}

#[test]
fn the_boundary_is_open_at_the_start_and_after_each_envelope() {
    let mut tracker = grpc();
    assert_eq!(tracker.boundary(), Open);
    assert_eq!(feed(&mut tracker, HI), (Event, Open));
    assert_eq!(feed(&mut tracker, &[HI, HI].concat()), (Event, Open));
    assert_eq!(feed(&mut tracker, b""), (Empty, Open));
}

#[test]
fn the_boundary_is_not_open_inside_an_envelope() {
    let mut tracker = grpc();
    for (at, byte) in HI.iter().enumerate() {
        let boundary = if at == HI.len() - 1 { Open } else { InsideMessage };
        assert_eq!(feed(&mut tracker, &[*byte]).1, boundary, "after {} bytes", at + 1);
    }
}

#[test]
fn an_envelope_without_a_payload_ends_with_its_header() {
    let mut tracker = grpc();
    assert_eq!(feed(&mut tracker, b"\0\0\0\0"), (Content::NonEvent, InsideMessage));
    assert_eq!(feed(&mut tracker, b"\0"), (Event, Open));
    assert_eq!(feed(&mut tracker, b"\x01\0\0\0\0"), (Event, Open));
}

#[test]
fn the_longest_payload_is_counted_to_its_last_byte() {
    let mut tracker = grpc();
    assert_eq!(feed(&mut tracker, b"\0\xff\xff\xff\xff"), (Event, InsideMessage));
    let piece = Bytes::from(vec![0; 1 << 24]);
    for _ in 0..255 {
        assert_eq!(tracker.feed(&mut piece.clone()), Event);
        assert_eq!(tracker.boundary(), InsideMessage);
    }
    tracker.feed(&mut piece.slice(2..));
    assert_eq!(tracker.boundary(), InsideMessage);
    assert_eq!(feed(&mut tracker, b"\0"), (Event, Open));
}

#[test]
fn each_protocol_accepts_its_flags_only() {
    for flags in 0..=u8::MAX {
        let message = |mut tracker: EnvelopeTracker, after| {
            let envelope = [flags, 0, 0, 0, 1, b'x'];
            assert_eq!(feed(&mut tracker, &envelope), (Event, after), "{flags:#x}");
        };
        let rejected = |mut tracker: EnvelopeTracker| {
            for bytes in [&[flags][..], b"\0\0\0\0", HI] {
                assert_eq!(feed(&mut tracker, bytes), (Event, Unknown), "{flags:#x}");
            }
        };
        match flags {
            0 | 1 => message(grpc(), Open),
            _ => rejected(grpc()),
        }
        match flags {
            0 | 1 => message(grpc_web(), Open),
            0x80 | 0x81 => message(grpc_web(), EndOfStream),
            _ => rejected(grpc_web()),
        }
        match flags {
            0 | 1 => message(connect(), Open),
            2 | 3 => message(connect(), EndOfStream),
            _ => rejected(connect()),
        }
    }
}

#[test]
fn bytes_after_the_end_make_the_boundary_unknown() {
    let trailers: (_, &[u8]) = (grpc_web(), b"\x80\0\0\0\x0fgrpc-status:0\r\n");
    let end_of_stream: (_, &[u8]) = (connect(), b"\x02\0\0\0\x02{}");
    let empty: (_, &[u8]) = (connect(), b"\x02\0\0\0\0");
    for (mut tracker, end) in [trailers, end_of_stream, empty] {
        assert_eq!(feed(&mut tracker, HI), (Event, Open));
        assert_eq!(feed(&mut tracker, &end[..end.len() - 1]), (Event, InsideMessage));
        assert_eq!(feed(&mut tracker, &end[end.len() - 1..]), (Event, EndOfStream));
        assert_eq!(feed(&mut tracker, b""), (Empty, EndOfStream));
        assert_eq!(feed(&mut tracker.clone(), b"\0"), (Event, Unknown));
        assert_eq!(feed(&mut tracker, HI), (Event, Unknown));
        assert_eq!(feed(&mut tracker, HI), (Event, Unknown));
    }
}

#[test]
fn bytes_after_the_end_in_the_same_piece_are_detected() {
    assert_eq!(feed(&mut connect(), b"\x02\0\0\0\0\0\0\0\0\0"), (Event, Unknown));
}

#[test]
fn t21_an_envelope_that_equals_the_heartbeat_is_no_event() {
    for heartbeat in [
        HeartbeatMessage::default(),
        HeartbeatMessage::from_payload("{\"heartbeat\":true}").expect("short"),
    ] {
        let mut tracker = EnvelopeTracker::grpc(&heartbeat);
        for _ in 0..2 {
            assert_eq!(feed(&mut tracker, &heartbeat.envelope()), (Content::NonEvent, Open));
        }
        for byte in heartbeat.envelope() {
            assert_eq!(feed(&mut tracker, &[byte]).0, Content::NonEvent);
        }
        assert_eq!(tracker.boundary(), Open);
        let event = [&heartbeat.envelope(), HI].concat();
        assert_eq!(feed(&mut tracker, &event), (Event, Open));
        assert_eq!(feed(&mut tracker, &heartbeat.envelope()), (Content::NonEvent, Open));
    }
}

#[test]
fn t12_a_message_without_fields_is_an_event_whatever_the_heartbeat() {
    for heartbeat in
        [HeartbeatMessage::empty(), HeartbeatMessage::from_payload("{}").expect("2 bytes fit")]
    {
        let mut tracker = EnvelopeTracker::connect(&heartbeat);
        assert_eq!(feed(&mut tracker, &heartbeat.envelope()), (Event, Open));
        for byte in heartbeat.envelope() {
            assert_eq!(feed(&mut tracker, &[byte]).0, Event);
        }
        assert_eq!(tracker.boundary(), Open);
    }
}

#[test]
fn t21_an_envelope_may_be_the_heartbeat_up_to_the_first_different_byte() {
    let heartbeat = HeartbeatMessage::default().envelope();
    for at in 0..heartbeat.len() {
        let mut other = heartbeat.to_vec();
        other[at] ^= 0x01;
        let mut tracker = grpc();
        for byte in &other[..at] {
            assert_eq!(feed(&mut tracker, &[*byte]), (Content::NonEvent, InsideMessage));
        }
        assert_eq!(feed(&mut tracker, &other[at..=at]).0, Event, "byte {at}");
        if at + 1 < heartbeat.len() {
            assert_eq!(feed(&mut tracker, &[heartbeat[at + 1]]).0, Event, "still an event");
        }
        assert_eq!(feed(&mut grpc(), &other).0, Event, "byte {at}");
    }
}

#[test]
fn t21_a_compressed_message_and_the_end_are_events() {
    let heartbeat = HeartbeatMessage::empty();
    assert_eq!(feed(&mut EnvelopeTracker::grpc(&heartbeat), b"\x01\0\0\0\0"), (Event, Open));
    assert_eq!(
        feed(&mut EnvelopeTracker::grpc_web(&heartbeat), b"\x80\0\0\0\0"),
        (Event, EndOfStream)
    );
    assert_eq!(
        feed(&mut EnvelopeTracker::connect(&heartbeat), b"\x02\0\0\0\0"),
        (Event, EndOfStream)
    );
}
