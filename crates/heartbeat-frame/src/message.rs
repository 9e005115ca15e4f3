use std::error::Error;
use std::fmt;

use bytes::Bytes;

use crate::framing::envelope;

/// A heartbeat message, encoded once: its clones, its envelope and the message alone share one buffer.
///
/// The default is [`gateway_event`](Self::gateway_event).
///
/// # Example
///
/// ```
/// use heartbeat_frame::HeartbeatMessage;
///
/// // For the client of an unrelated service, which then sees a default message of its own type.
/// let beat = HeartbeatMessage::empty();
/// assert_eq!(&beat.envelope()[..], [0, 0, 0, 0, 0]);
///
/// // For Connect with JSON, where the envelope holds text.
/// let beat = HeartbeatMessage::from_payload(r#"{"eventType":"gateway.heartbeat"}"#)?;
/// assert_eq!(&beat.envelope()[..5], [0, 0, 0, 0, 33]);
/// # Ok::<(), heartbeat_frame::PayloadTooLong>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use = "a heartbeat message does nothing until it is sent"]
pub struct HeartbeatMessage {
    /// The message in its envelope; without the prefix it is the raw message.
    pub(crate) envelope: Bytes,
}

impl HeartbeatMessage {
    /// [`GatewayEvent::heartbeat`](crate::GatewayEvent::heartbeat): 19 bytes. Allocates nothing.
    pub const fn gateway_event() -> Self {
        // Field 1, a string of 17 bytes.
        Self { envelope: Bytes::from_static(b"\0\0\0\0\x13\x0a\x11gateway.heartbeat") }
    }

    /// The message without any field: 0 bytes. Allocates nothing.
    ///
    /// The only one that a client of any service is sure to decode: every proto3 message type reads
    /// it as its default value. Whether that value is harmless is for the client to say.
    pub const fn empty() -> Self {
        Self { envelope: Bytes::from_static(&[0; envelope::HEADER_LEN]) }
    }

    /// Any message as a heartbeat. Fails above 4 GiB less a byte.
    ///
    /// # Example
    ///
    /// ```
    /// use heartbeat_frame::{GatewayEvent, HeartbeatMessage};
    ///
    /// let beat = HeartbeatMessage::encode(&GatewayEvent::heartbeat())?;
    /// assert_eq!(beat, HeartbeatMessage::gateway_event());
    /// # Ok::<(), heartbeat_frame::PayloadTooLong>(())
    /// ```
    pub fn encode(message: &impl prost::Message) -> Result<Self, PayloadTooLong> {
        Self::from_payload(message.encode_to_vec())
    }

    /// A message that is encoded already, in protobuf or in whatever the stream speaks. Fails above
    /// 4 GiB less a byte.
    pub fn from_payload(payload: impl AsRef<[u8]>) -> Result<Self, PayloadTooLong> {
        Ok(Self { envelope: envelope::enclose(payload.as_ref())? })
    }
}

impl Default for HeartbeatMessage {
    /// The same as [`HeartbeatMessage::gateway_event`].
    fn default() -> Self {
        Self::gateway_event()
    }
}

/// A payload whose length does not fit the 32 bits that an envelope has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadTooLong {
    pub(crate) length: usize,
}

impl fmt::Display for PayloadTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a payload of {} bytes does not fit an envelope: give at most {} bytes",
            self.length,
            u32::MAX
        )
    }
}

impl Error for PayloadTooLong {}
