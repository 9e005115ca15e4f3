use std::error::Error;
use std::fmt;

use bytes::Bytes;

use crate::framing::envelope;

/// A heartbeat message. It is encoded once: clones, the envelope and the bare message share one buffer.
///
/// The default is [`gateway_event`](Self::gateway_event).
///
/// # Example
///
/// ```
/// use heartbeat_frame::HeartbeatMessage;
///
/// // For any gRPC service: the client decodes a default message of its own type.
/// let heartbeat = HeartbeatMessage::empty();
/// assert_eq!(&heartbeat.envelope()[..], [0, 0, 0, 0, 0]);
///
/// // For Connect with JSON.
/// let heartbeat = HeartbeatMessage::from_payload(r#"{"eventType":"gateway.heartbeat"}"#)?;
/// assert_eq!(&heartbeat.envelope()[..5], [0, 0, 0, 0, 33]);
/// # Ok::<(), heartbeat_frame::PayloadTooLong>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use = "a heartbeat message has no effect until it is sent"]
pub struct HeartbeatMessage {
    /// The message in its envelope. The raw message follows the header.
    pub(crate) envelope: Bytes,
}

impl HeartbeatMessage {
    /// [`GatewayEvent::heartbeat`](crate::GatewayEvent::heartbeat): 19 bytes. Does not allocate.
    pub const fn gateway_event() -> Self {
        // Field 1, a string of 17 bytes.
        Self { envelope: Bytes::from_static(b"\0\0\0\0\x13\x0a\x11gateway.heartbeat") }
    }

    /// The message without fields: 0 bytes. Does not allocate.
    ///
    /// Clients of every service can decode it: each proto3 message type reads it as its default value.
    /// Check that your clients ignore that value: in `grpc.health.v1.Health/Watch`, for example, it means
    /// that the health is unknown.
    ///
    /// The bytes of this heartbeat are those of every message without fields. A tracker therefore counts
    /// each empty message of the stream as an event, also one that another layer has inserted as a heartbeat:
    /// such heartbeats put off giving up (`Config::with_give_up_after`). The same holds for `{}`, its JSON.
    pub const fn empty() -> Self {
        Self { envelope: Bytes::from_static(&[0; envelope::HEADER_LEN]) }
    }

    /// Encodes any message as a heartbeat.
    ///
    /// # Errors
    ///
    /// Fails if the encoded message is longer than 4 GiB - 1 byte.
    ///
    /// # Example
    ///
    /// ```
    /// use heartbeat_frame::{GatewayEvent, HeartbeatMessage};
    ///
    /// let heartbeat = HeartbeatMessage::encode(&GatewayEvent::heartbeat())?;
    /// assert_eq!(heartbeat, HeartbeatMessage::gateway_event());
    /// # Ok::<(), heartbeat_frame::PayloadTooLong>(())
    /// ```
    pub fn encode(message: &impl prost::Message) -> Result<Self, PayloadTooLong> {
        Self::from_payload(message.encode_to_vec())
    }

    /// A heartbeat from an encoded message, in protobuf or in another encoding of the stream.
    ///
    /// # Errors
    ///
    /// Fails if `payload` is longer than 4 GiB - 1 byte.
    pub fn from_payload(payload: impl AsRef<[u8]>) -> Result<Self, PayloadTooLong> {
        Ok(Self { envelope: envelope::enclose(payload.as_ref())? })
    }

    /// Whether it is the message without fields, in protobuf or in JSON.
    pub(crate) fn is_empty_message(&self) -> bool {
        matches!(&self.envelope[envelope::HEADER_LEN..], b"" | b"{}")
    }
}

impl Default for HeartbeatMessage {
    /// Equivalent to [`HeartbeatMessage::gateway_event`].
    fn default() -> Self {
        Self::gateway_event()
    }
}

/// The payload is longer than the 32-bit length of an envelope allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadTooLong {
    pub(crate) length: usize,
}

impl fmt::Display for PayloadTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "payload of {} bytes is too long for an envelope: at most {} bytes are allowed",
            self.length,
            u32::MAX
        )
    }
}

impl Error for PayloadTooLong {}
