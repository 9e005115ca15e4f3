use std::mem::size_of;

use bytes::Bytes;

use super::{Boundary, BoundaryTracker, Content};
use crate::HeartbeatMessage;
use crate::framing::envelope::HEADER_LEN;

/// Tracks the envelopes of gRPC, gRPC-Web and Connect: a heartbeat may be inserted between two of them.
///
/// Payloads are skipped by their length, so a message of 4 GiB costs no more than a small one. There is
/// no size limit: the receiver decides whether a message is too long. Flags that the protocol does not
/// define make the boundary unknown, and so do bytes after the end.
///
/// An envelope that equals the given heartbeat is no event. Up to the first byte that differs, an
/// envelope may still be the heartbeat. The empty message, and `{}`, its JSON, always are events: a
/// service may send them as answers.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use heartbeat_frame::{Boundary, BoundaryTracker, EnvelopeTracker, HeartbeatMessage, Content};
///
/// let heartbeat = HeartbeatMessage::default();
/// let mut tracker = EnvelopeTracker::grpc_web(&heartbeat);
/// assert_eq!(tracker.boundary(), Boundary::Open);
///
/// assert_eq!(tracker.feed(&mut Bytes::from("\0\0\0\0\x02h")), Content::Event);
/// assert_eq!(tracker.boundary(), Boundary::InsideMessage);
/// tracker.feed(&mut Bytes::from("i"));
/// assert_eq!(tracker.boundary(), Boundary::Open);
///
/// // A heartbeat of another layer.
/// assert_eq!(tracker.feed(&mut heartbeat.envelope()), Content::NonEvent);
///
/// // Trailers end the stream.
/// tracker.feed(&mut Bytes::from_static(b"\x80\0\0\0\x0fgrpc-status:0\r\n"));
/// assert_eq!(tracker.boundary(), Boundary::EndOfStream);
/// ```
#[derive(Debug, Clone)]
pub struct EnvelopeTracker {
    /// The heartbeat in its envelope; no bytes if an event can be equal to it.
    heartbeat: Bytes,
    protocol: EnvelopeProtocol,
    state: ParseState,
    /// Whether this envelope equals the heartbeat so far.
    matches_heartbeat: bool,
    /// Whether this envelope ends the stream of messages.
    is_last: bool,
}

const _: () = assert!(size_of::<EnvelopeTracker>() <= 48);

#[derive(Debug, Clone, Copy)]
enum EnvelopeProtocol {
    Grpc,
    GrpcWeb,
    Connect,
}

#[derive(Debug, Clone, Copy)]
enum ParseState {
    /// Before or inside the header.
    Header {
        /// Less than [`HEADER_LEN`].
        seen: u8,
        /// The part of the length that was seen.
        length: u32,
    },
    Payload {
        /// At least 1.
        left: u32,
    },
    EndOfStream,
    Unknown,
}

impl ParseState {
    const AT_BOUNDARY: Self = Self::Header { seen: 0, length: 0 };
}

impl EnvelopeProtocol {
    /// Whether an envelope with these flags is the last one; `None` if the protocol does not define the
    /// flags.
    fn is_last(self, flags: u8) -> Option<bool> {
        const COMPRESSED: u8 = 0x01; // in all three
        let end = match self {
            Self::Grpc => 0, // the trailers are HTTP trailers
            Self::GrpcWeb => 0x80,
            Self::Connect => 0x02,
        };
        (flags & !(COMPRESSED | end) == 0).then_some(flags & end != 0)
    }
}

impl EnvelopeTracker {
    /// For gRPC. An envelope contains a message, compressed (flags 1) or not (flags 0).
    #[must_use = "a tracker must be fed"]
    pub fn grpc(heartbeat: &HeartbeatMessage) -> Self {
        Self::new(EnvelopeProtocol::Grpc, heartbeat)
    }

    /// For gRPC-Web in binary. Trailers (flags 0x80, compressed 0x81) end the stream of messages.
    #[must_use = "a tracker must be fed"]
    pub fn grpc_web(heartbeat: &HeartbeatMessage) -> Self {
        Self::new(EnvelopeProtocol::GrpcWeb, heartbeat)
    }

    /// For Connect. Its end-of-stream envelope (flags 2, compressed 3) ends the stream of messages.
    #[must_use = "a tracker must be fed"]
    pub fn connect(heartbeat: &HeartbeatMessage) -> Self {
        Self::new(EnvelopeProtocol::Connect, heartbeat)
    }

    fn new(protocol: EnvelopeProtocol, heartbeat: &HeartbeatMessage) -> Self {
        let heartbeat =
            if heartbeat.is_empty_message() { Bytes::new() } else { heartbeat.envelope() };
        let state = ParseState::AT_BOUNDARY;
        Self { heartbeat, protocol, state, matches_heartbeat: true, is_last: false }
    }

    /// Parses bytes, and returns whether one of them is part of an event.
    #[inline]
    pub(super) fn advance(&mut self, bytes: &[u8]) -> bool {
        if matches!(self.state, ParseState::Header { seen: 0, .. }) && is_message(bytes) {
            self.matches_heartbeat = self.heartbeat == bytes; // a whole message, as in most pieces
            return self.is_event();
        }
        self.advance_parts(bytes)
    }

    fn advance_parts(&mut self, mut bytes: &[u8]) -> bool {
        let mut is_event = false;
        while let Some((&first, rest)) = bytes.split_first() {
            match (self.state, bytes.split_first_chunk()) {
                (ParseState::Header { seen: 0, .. }, Some((&header, rest))) => {
                    self.parse_header(header);
                    bytes = rest;
                }
                (ParseState::Header { seen, length }, _) => {
                    self.header_byte(first, seen, length);
                    bytes = rest;
                }
                (ParseState::Payload { left }, _) => {
                    let end =
                        usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    let (payload, rest) = bytes.split_at(end);
                    self.payload(payload, left);
                    bytes = rest;
                }
                (ParseState::EndOfStream | ParseState::Unknown, _) => return self.lose_track(),
            }
            is_event |= self.is_event();
        }
        is_event
    }

    /// Whether the last byte is part of an event.
    pub(super) fn is_event(&self) -> bool {
        !self.matches_heartbeat
    }

    /// Makes the boundary unknown for good. The bytes count as an event.
    pub(super) fn lose_track(&mut self) -> bool {
        (self.state, self.matches_heartbeat) = (ParseState::Unknown, false);
        true
    }

    fn parse_header(&mut self, header: [u8; HEADER_LEN]) {
        let [flags, length @ ..] = header;
        let Some(is_last) = self.protocol.is_last(flags) else {
            self.lose_track();
            return;
        };
        (self.is_last, self.matches_heartbeat) = (is_last, self.heartbeat.starts_with(&header));
        self.state = self.in_payload(u32::from_be_bytes(length));
    }

    /// Parses one byte of a header that is split between pieces.
    fn header_byte(&mut self, byte: u8, seen: u8, length: u32) {
        let length = if seen == 0 {
            let Some(is_last) = self.protocol.is_last(byte) else {
                self.lose_track();
                return;
            };
            (self.is_last, self.matches_heartbeat) = (is_last, true);
            0
        } else {
            (length << 8) | u32::from(byte)
        };
        self.matches_heartbeat &= self.heartbeat.get(usize::from(seen)) == Some(&byte);
        self.state = match seen + 1 {
            seen if usize::from(seen) < HEADER_LEN => ParseState::Header { seen, length },
            _ => self.in_payload(length),
        };
    }

    fn payload(&mut self, payload: &[u8], left: u32) {
        if self.matches_heartbeat {
            // The lengths are equal too, so the same number of bytes is left of both.
            let heartbeat = &self.heartbeat[self.heartbeat.len() - left as usize..];
            self.matches_heartbeat = heartbeat.starts_with(payload);
        }
        let seen = u32::try_from(payload.len()).unwrap_or(u32::MAX); // at most `left`
        self.state = self.in_payload(left - seen);
    }

    /// The state `left` bytes before the end of an envelope.
    fn in_payload(&self, left: u32) -> ParseState {
        match left {
            0 if self.is_last => ParseState::EndOfStream,
            0 => ParseState::AT_BOUNDARY,
            left => ParseState::Payload { left },
        }
    }
}

/// Whether `bytes` are exactly one uncompressed message, which is valid in all protocols.
fn is_message(bytes: &[u8]) -> bool {
    bytes.split_first_chunk().is_some_and(
        |(&[flags, length @ ..], payload): (&[u8; HEADER_LEN], _)| {
            flags == 0 && usize::try_from(u32::from_be_bytes(length)) == Ok(payload.len())
        },
    )
}

impl BoundaryTracker for EnvelopeTracker {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "keeps the bytes in registers, as measured")]
    fn feed(&mut self, bytes: &mut Bytes) -> Content {
        let is_event = self.advance(bytes);
        Content::new(bytes, is_event)
    }

    #[inline]
    fn boundary(&self) -> Boundary {
        match self.state {
            ParseState::Header { seen: 0, .. } => Boundary::Open,
            ParseState::Header { .. } | ParseState::Payload { .. } => Boundary::InsideMessage,
            ParseState::EndOfStream => Boundary::EndOfStream,
            ParseState::Unknown => Boundary::Unknown,
        }
    }
}
