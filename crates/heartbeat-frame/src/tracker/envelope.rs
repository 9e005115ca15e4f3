use std::mem::size_of;

use bytes::Bytes;

use super::{Boundary, BoundaryTracker, Passed};
use crate::HeartbeatMessage;
use crate::framing::envelope::PREFIX;

/// Follows the envelopes of gRPC, gRPC-Web and Connect: a heartbeat may stand between two of them.
///
/// Payloads are skipped by arithmetic, so the largest message, of 4 GiB less a byte, costs no more
/// than a small one. There is no limit to set: whether a message is too long is for its receiver to
/// say. Flags that the protocol does not have make the boundary unknown, and so does anything that
/// follows the end.
///
/// An envelope that equals the heartbeat given is no real event, whoever sent it. Up to the first byte
/// that differs, it may still be one.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use heartbeat_frame::{Boundary, BoundaryTracker, EnvelopeTracker, HeartbeatMessage, Passed};
///
/// let beat = HeartbeatMessage::default();
/// let mut tracker = EnvelopeTracker::grpc_web(&beat);
/// assert_eq!(tracker.boundary(), Boundary::Here);
///
/// assert_eq!(tracker.feed(&mut Bytes::from("\0\0\0\0\x02h")), Passed::Real);
/// assert_eq!(tracker.boundary(), Boundary::Within);
/// tracker.feed(&mut Bytes::from("i"));
/// assert_eq!(tracker.boundary(), Boundary::Here);
///
/// // Somebody else's heartbeat.
/// assert_eq!(tracker.feed(&mut beat.envelope()), Passed::Bytes);
///
/// // The trailers.
/// tracker.feed(&mut Bytes::from_static(b"\x80\0\0\0\x0fgrpc-status:0\r\n"));
/// assert_eq!(tracker.boundary(), Boundary::Ended);
/// ```
#[derive(Debug, Clone)]
pub struct EnvelopeTracker {
    /// The heartbeat in its envelope.
    beat: Bytes,
    protocol: Protocol,
    place: Place,
    /// Whether all that was seen of this envelope is the heartbeat's.
    like_beat: bool,
    /// Whether the stream of messages ends with this envelope.
    last: bool,
}

const _: () = assert!(size_of::<EnvelopeTracker>() <= 48);

#[derive(Debug, Clone, Copy)]
enum Protocol {
    Grpc,
    GrpcWeb,
    Connect,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    /// Within the prefix, or before it.
    Prefix {
        /// Fewer than [`PREFIX`].
        seen: u8,
        /// As far as it was seen.
        length: u32,
    },
    Payload {
        /// More than none.
        left: u32,
    },
    Ended,
    Unknown,
}

impl Place {
    const BETWEEN: Self = Self::Prefix { seen: 0, length: 0 };
}

impl Protocol {
    /// Whether an envelope with these flags is the last one; `None` if there is no such envelope.
    fn is_last(self, flags: u8) -> Option<bool> {
        const COMPRESSED: u8 = 0x01; // of all three
        let end = match self {
            Self::Grpc => 0, // its trailers are HTTP's
            Self::GrpcWeb => 0x80,
            Self::Connect => 0x02,
        };
        (flags & !(COMPRESSED | end) == 0).then_some(flags & end != 0)
    }
}

impl EnvelopeTracker {
    /// For gRPC. An envelope holds a message, compressed (flags 1) or not (flags 0).
    #[must_use = "a tracker that is fed nothing knows nothing"]
    pub fn grpc(beat: &HeartbeatMessage) -> Self {
        Self::new(Protocol::Grpc, beat)
    }

    /// For gRPC-Web in binary. Trailers (flags 0x80, compressed 0x81) end the stream of messages.
    #[must_use = "a tracker that is fed nothing knows nothing"]
    pub fn grpc_web(beat: &HeartbeatMessage) -> Self {
        Self::new(Protocol::GrpcWeb, beat)
    }

    /// For Connect. Its end-of-stream envelope (flags 2, compressed 3) ends the stream of messages.
    #[must_use = "a tracker that is fed nothing knows nothing"]
    pub fn connect(beat: &HeartbeatMessage) -> Self {
        Self::new(Protocol::Connect, beat)
    }

    fn new(protocol: Protocol, beat: &HeartbeatMessage) -> Self {
        let (beat, place) = (beat.envelope(), Place::BETWEEN);
        Self { beat, protocol, place, like_beat: true, last: false }
    }

    /// Whether one of the bytes is of a real event.
    #[inline]
    pub(super) fn follow(&mut self, bytes: &[u8]) -> bool {
        if matches!(self.place, Place::Prefix { seen: 0, .. }) && is_message(bytes) {
            self.like_beat = self.beat == bytes; // and whole, as most pieces are
            return self.is_real();
        }
        self.follow_parts(bytes)
    }

    fn follow_parts(&mut self, mut bytes: &[u8]) -> bool {
        let mut real = false;
        while let Some((&first, rest)) = bytes.split_first() {
            match (self.place, bytes.split_first_chunk()) {
                (Place::Prefix { seen: 0, .. }, Some((&prefix, rest))) => {
                    self.whole_prefix(prefix);
                    bytes = rest;
                }
                (Place::Prefix { seen, length }, _) => {
                    self.prefix(first, seen, length);
                    bytes = rest;
                }
                (Place::Payload { left }, _) => {
                    let end =
                        usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    let (payload, rest) = bytes.split_at(end);
                    self.payload(payload, left);
                    bytes = rest;
                }
                (Place::Ended | Place::Unknown, _) => return self.give_up(),
            }
            real |= self.is_real();
        }
        real
    }

    /// Whether what was seen last is of a real event.
    pub(super) fn is_real(&self) -> bool {
        !self.like_beat
    }

    /// What comes is no envelope, for good, and counts as real.
    pub(super) fn give_up(&mut self) -> bool {
        (self.place, self.like_beat) = (Place::Unknown, false);
        true
    }

    fn whole_prefix(&mut self, prefix: [u8; PREFIX]) {
        let [flags, length @ ..] = prefix;
        let Some(last) = self.protocol.is_last(flags) else {
            self.give_up();
            return;
        };
        (self.last, self.like_beat) = (last, self.beat.starts_with(&prefix));
        self.place = self.payload_of(u32::from_be_bytes(length));
    }

    /// A byte of a prefix that may be cut.
    fn prefix(&mut self, byte: u8, seen: u8, length: u32) {
        let length = if seen == 0 {
            let Some(last) = self.protocol.is_last(byte) else {
                self.give_up();
                return;
            };
            (self.last, self.like_beat) = (last, true);
            0
        } else {
            (length << 8) | u32::from(byte)
        };
        self.like_beat &= self.beat[usize::from(seen)] == byte;
        self.place = match seen + 1 {
            seen if usize::from(seen) < PREFIX => Place::Prefix { seen, length },
            _ => self.payload_of(length),
        };
    }

    fn payload(&mut self, payload: &[u8], left: u32) {
        if self.like_beat {
            // So is its length: what is left of one is left of the other.
            let beat = &self.beat[self.beat.len() - left as usize..];
            self.like_beat = beat.starts_with(payload);
        }
        let seen = u32::try_from(payload.len()).unwrap_or(u32::MAX); // at most what was left
        self.place = self.payload_of(left - seen);
    }

    /// Where one is that much before the end of an envelope.
    fn payload_of(&self, left: u32) -> Place {
        match left {
            0 if self.last => Place::Ended,
            0 => Place::BETWEEN,
            left => Place::Payload { left },
        }
    }
}

/// Whether that is one message in its envelope, and not compressed: so it is written in all protocols.
fn is_message(bytes: &[u8]) -> bool {
    bytes.split_first_chunk().is_some_and(|(&[flags, length @ ..], payload): (&[u8; PREFIX], _)| {
        flags == 0 && usize::try_from(u32::from_be_bytes(length)) == Ok(payload.len())
    })
}

impl BoundaryTracker for EnvelopeTracker {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the bytes stay in registers: measured")]
    fn feed(&mut self, bytes: &mut Bytes) -> Passed {
        let real = self.follow(bytes);
        Passed::new(bytes, real)
    }

    #[inline]
    fn boundary(&self) -> Boundary {
        match self.place {
            Place::Prefix { seen: 0, .. } => Boundary::Here,
            Place::Prefix { .. } | Place::Payload { .. } => Boundary::Within,
            Place::Ended => Boundary::Ended,
            Place::Unknown => Boundary::Unknown,
        }
    }
}
