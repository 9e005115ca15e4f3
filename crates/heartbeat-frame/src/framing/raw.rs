use bytes::Bytes;

use super::envelope::HEADER_LEN;
use crate::HeartbeatMessage;

impl HeartbeatMessage {
    /// The message alone, without copying: for a framing of your own.
    ///
    /// The boundary is what that framing makes it. Bytes of protobuf that merely follow each other
    /// have none: they merge into one message.
    ///
    /// # Example
    ///
    /// ```
    /// use heartbeat_frame::HeartbeatMessage;
    ///
    /// assert_eq!(HeartbeatMessage::default().raw(), "\n\x11gateway.heartbeat");
    /// ```
    #[must_use = "the bytes do nothing until they are sent"]
    pub fn raw(&self) -> Bytes {
        self.envelope.slice(HEADER_LEN..)
    }
}
