use bytes::Bytes;

use super::envelope::HEADER_LEN;
use crate::HeartbeatMessage;

impl HeartbeatMessage {
    /// The bare message, without copying, for your own framing.
    ///
    /// Your framing defines the boundaries. Concatenated protobuf messages have none: they merge into
    /// one message.
    ///
    /// # Example
    ///
    /// ```
    /// use heartbeat_frame::HeartbeatMessage;
    ///
    /// assert_eq!(HeartbeatMessage::default().raw(), "\n\x11gateway.heartbeat");
    /// ```
    #[must_use = "the bytes have no effect until they are sent"]
    pub fn raw(&self) -> Bytes {
        self.envelope.slice(HEADER_LEN..)
    }
}
