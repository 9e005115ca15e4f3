//! The length of an envelope, whose header arrives in one piece or byte by byte.

use bytes::Bytes;
use heartbeat_frame::{Boundary, BoundaryTracker, EnvelopeTracker, HeartbeatMessage};

/// Feeds bytes, and returns the boundary after them.
fn boundary_after(tracker: &mut EnvelopeTracker, bytes: impl Into<Bytes>) -> Boundary {
    tracker.feed(&mut bytes.into());
    tracker.boundary()
}

#[test]
fn all_four_bytes_of_the_length_count() {
    for length in [0x0000_0001_u32, 0x0000_0102, 0x0001_0203, 0x0102_0304] {
        let [a, b, c, d] = length.to_be_bytes();
        let header = [0, a, b, c, d];
        for piece in 1..=header.len() {
            let mut tracker = EnvelopeTracker::grpc(&HeartbeatMessage::default());
            for bytes in header.chunks(piece) {
                let boundary = boundary_after(&mut tracker, bytes.to_vec());
                assert_eq!(boundary, Boundary::InsideMessage, "{length:#x}, {piece}");
            }
            let all_but_one = vec![0; length as usize - 1];
            let boundary = boundary_after(&mut tracker, all_but_one);
            assert_eq!(boundary, Boundary::InsideMessage, "{length:#x}, {piece}");
            let boundary = boundary_after(&mut tracker, vec![0]);
            assert_eq!(boundary, Boundary::Open, "{length:#x}, {piece}");
        }
    }
}
