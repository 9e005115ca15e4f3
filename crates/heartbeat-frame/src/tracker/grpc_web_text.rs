use std::mem::size_of;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use memchr::memchr;

use super::envelope::EnvelopeTracker;
use super::{Boundary, BoundaryTracker, Content};
use crate::HeartbeatMessage;

/// Tracks the envelopes of gRPC-Web-text, which are encoded in base64. A heartbeat may be inserted
/// where an envelope and a group of four characters both end.
///
/// As the protocol allows, padding may occur anywhere: a sender may pad after each message, at each
/// flush or at the end. Without padding a message can end inside a group that also contains the start
/// of the next message. No heartbeat may be inserted between such two messages.
///
/// Text that is not base64 makes the boundary unknown. This includes line breaks and spaces, which the
/// protocol does not allow and which break clients that count to four; the URL-safe alphabet; and
/// non-zero bits that the padding discards. Everything else is as for [`EnvelopeTracker::grpc_web`].
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use heartbeat_frame::{Boundary, BoundaryTracker, GrpcWebTextTracker, HeartbeatMessage, Content};
///
/// let heartbeat = HeartbeatMessage::default();
/// let mut tracker = GrpcWebTextTracker::new(&heartbeat);
/// assert_eq!(tracker.boundary(), Boundary::Open);
///
/// assert_eq!(tracker.feed(&mut Bytes::from("AAAAAAJoa")), Content::Event);
/// assert_eq!(tracker.boundary(), Boundary::InsideMessage);
/// tracker.feed(&mut Bytes::from("Q="));
/// assert_eq!(tracker.boundary(), Boundary::InsideMessage); // the message has ended, the group has not
/// tracker.feed(&mut Bytes::from("="));
/// assert_eq!(tracker.boundary(), Boundary::Open);
///
/// // A heartbeat of another layer.
/// assert_eq!(tracker.feed(&mut heartbeat.envelope_base64()), Content::NonEvent);
/// ```
#[derive(Debug, Clone)]
pub struct GrpcWebTextTracker {
    envelopes: EnvelopeTracker,
    group: Base64Group,
}

const _: () = assert!(size_of::<GrpcWebTextTracker>() <= 56);

/// The number of characters of the current group, and the bits that do not form a byte yet.
#[derive(Debug, Clone, Copy)]
enum Base64Group {
    None,
    /// 6 bits are left.
    One(u8),
    /// 4 bits are left.
    Two(u8),
    /// 2 bits are left.
    Three(u8),
    /// Two characters and the first of two padding ones.
    Padding,
}

/// The number of characters that are decoded at once outside of a group: small enough for the stack.
const BLOCK: usize = 512;

impl GrpcWebTextTracker {
    /// For a new stream. `heartbeat` is used as in [`EnvelopeTracker::grpc_web`].
    #[must_use = "a tracker must be fed"]
    pub fn new(heartbeat: &HeartbeatMessage) -> Self {
        Self { envelopes: EnvelopeTracker::grpc_web(heartbeat), group: Base64Group::None }
    }

    /// Parses characters, and returns whether one of them is part of an event.
    fn advance(&mut self, mut text: &[u8]) -> bool {
        let mut is_event = false;
        while !text.is_empty() {
            let groups = match self.group {
                Base64Group::None => {
                    let most = text.len().min(BLOCK);
                    memchr(b'=', &text[..most]).unwrap_or(most) / 4 * 4
                }
                _ => 0,
            };
            let (block, rest) = text.split_at(groups.max(1));
            // Other text is part of a group, has padding, or is malformed.
            is_event |= self.decode_groups(block).unwrap_or_else(|| self.decode_characters(block));
            text = rest;
        }
        is_event
    }

    /// Decodes whole groups without padding. `None`, without any effect, if `text` is anything else.
    fn decode_groups(&mut self, text: &[u8]) -> Option<bool> {
        if text.len() < 4 {
            return None;
        }
        let mut decoded = [0; BLOCK / 4 * 3];
        let length = STANDARD_NO_PAD.decode_slice(text, &mut decoded).ok()?;
        Some(self.envelopes.advance(&decoded[..length]))
    }

    fn decode_characters(&mut self, text: &[u8]) -> bool {
        text.iter().fold(false, |is_event, character| is_event | self.decode_character(*character))
    }

    /// Returns whether the character is part of an event. The first character of a group does not
    /// complete a byte: it counts like the message so far. Padding counts like the bytes before it.
    fn decode_character(&mut self, character: u8) -> bool {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => return self.decode_padding(),
            _ => return self.envelopes.lose_track(),
        };
        let (byte, group) = match self.group {
            Base64Group::None => {
                self.group = Base64Group::One(value);
                return match self.envelopes.boundary() {
                    Boundary::Open => false,
                    Boundary::InsideMessage => self.envelopes.is_event(),
                    Boundary::EndOfStream | Boundary::Unknown => self.envelopes.lose_track(),
                };
            }
            Base64Group::One(left) => ((left << 2) | (value >> 4), Base64Group::Two(value & 0x0f)),
            Base64Group::Two(left) => {
                ((left << 4) | (value >> 2), Base64Group::Three(value & 0x03))
            }
            Base64Group::Three(left) => ((left << 6) | value, Base64Group::None),
            Base64Group::Padding => return self.envelopes.lose_track(),
        };
        self.group = group;
        self.envelopes.advance(&[byte])
    }

    fn decode_padding(&mut self) -> bool {
        self.group = match self.group {
            Base64Group::Two(0) => Base64Group::Padding,
            Base64Group::Three(0) | Base64Group::Padding => Base64Group::None,
            _ => return self.envelopes.lose_track(),
        };
        self.envelopes.is_event()
    }
}

impl BoundaryTracker for GrpcWebTextTracker {
    #[inline]
    fn feed(&mut self, bytes: &mut Bytes) -> Content {
        let is_event = self.advance(bytes);
        Content::new(bytes, is_event)
    }

    #[inline]
    fn boundary(&self) -> Boundary {
        match (self.envelopes.boundary(), self.group) {
            (Boundary::Unknown, _) => Boundary::Unknown,
            (boundary, Base64Group::None) => boundary,
            _ => Boundary::InsideMessage,
        }
    }
}
