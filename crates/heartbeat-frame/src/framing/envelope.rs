use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};

use crate::{HeartbeatMessage, PayloadTooLong};

/// The bytes before a message: flags, then the length of the message in four bytes, big-endian.
pub(crate) const HEADER_LEN: usize = 5;

/// No compression, no trailers, no end of stream: a message that is legal whatever was negotiated.
const FLAGS: u8 = 0;

pub(crate) fn enclose(payload: &[u8]) -> Result<Bytes, PayloadTooLong> {
    let length = checked_length(payload.len())?;
    let mut envelope = BytesMut::with_capacity(HEADER_LEN + payload.len());
    envelope.put_u8(FLAGS);
    envelope.put_u32(length);
    envelope.put_slice(payload);
    Ok(envelope.freeze())
}

/// Checked once, when a message is made, so that framing it cannot fail.
fn checked_length(length: usize) -> Result<u32, PayloadTooLong> {
    u32::try_from(length).map_err(|_| PayloadTooLong { length })
}

impl HeartbeatMessage {
    /// The message in the envelope of gRPC, gRPC-Web and Connect, without copying.
    ///
    /// The envelope says that the message is not compressed, which is legal also where compression
    /// was negotiated. It may go wherever one envelope has ended and the next has not begun, and not
    /// after trailers or a Connect end-of-stream envelope.
    ///
    /// # Example
    ///
    /// ```
    /// use heartbeat_frame::HeartbeatMessage;
    ///
    /// let envelope = HeartbeatMessage::default().envelope();
    /// assert_eq!(&envelope[..5], [0, 0, 0, 0, 19]);
    /// ```
    #[must_use = "the bytes do nothing until they are sent"]
    pub fn envelope(&self) -> Bytes {
        self.envelope.clone()
    }

    /// The envelope in base64, as gRPC-Web-text has it. Encodes at each call: keep the result and
    /// clone that.
    ///
    /// It is padded, and so may go only where what was sent before is whole groups of four
    /// characters that end with an envelope.
    ///
    /// # Example
    ///
    /// ```
    /// use heartbeat_frame::HeartbeatMessage;
    ///
    /// assert_eq!(HeartbeatMessage::empty().envelope_base64(), "AAAAAAA=");
    /// ```
    #[must_use = "the bytes do nothing until they are sent"]
    pub fn envelope_base64(&self) -> Bytes {
        STANDARD.encode(&self.envelope).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_up_to_32_bits_fit() {
        assert_eq!(checked_length(0), Ok(0));
        assert_eq!(checked_length(19), Ok(19));
        assert_eq!(checked_length(0xffff_ffff), Ok(0xffff_ffff));
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_longer_payload_is_refused_with_what_to_give() {
        let error = checked_length(0x1_0000_0000).expect_err("too long");
        assert_eq!(
            error.to_string(),
            "a payload of 4294967296 bytes does not fit an envelope: give at most 4294967295 bytes"
        );
    }
}
