use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};

use crate::{HeartbeatMessage, PayloadTooLong};

/// The length of the header: a byte of flags, and the length of the message in four bytes, big-endian.
pub(crate) const HEADER_LEN: usize = 5;

/// An uncompressed message. It is valid whatever compression was negotiated.
const FLAGS: u8 = 0;

pub(crate) fn enclose(payload: &[u8]) -> Result<Bytes, PayloadTooLong> {
    let length = checked_length(payload.len())?;
    let mut envelope = BytesMut::with_capacity(HEADER_LEN + payload.len());
    envelope.put_u8(FLAGS);
    envelope.put_u32(length);
    envelope.put_slice(payload);
    Ok(envelope.freeze())
}

/// Checked when a message is created, so that framing cannot fail.
fn checked_length(length: usize) -> Result<u32, PayloadTooLong> {
    u32::try_from(length).map_err(|_| PayloadTooLong { length })
}

impl HeartbeatMessage {
    /// The message in the envelope of gRPC, gRPC-Web and Connect, without copying.
    ///
    /// The envelope marks the message as uncompressed, which is valid also if compression was
    /// negotiated. It may be inserted between two envelopes, but not after trailers or a Connect
    /// end-of-stream envelope.
    ///
    /// # Example
    ///
    /// ```
    /// use heartbeat_frame::HeartbeatMessage;
    ///
    /// let envelope = HeartbeatMessage::default().envelope();
    /// assert_eq!(&envelope[..5], [0, 0, 0, 0, 19]);
    /// ```
    #[must_use = "the bytes have no effect until they are sent"]
    pub fn envelope(&self) -> Bytes {
        self.envelope.clone()
    }

    /// The envelope in base64, for gRPC-Web-text. Each call encodes: keep the result, and clone it.
    ///
    /// The text is padded. It may be inserted only where an envelope and a group of four characters
    /// both end.
    ///
    /// # Example
    ///
    /// ```
    /// use heartbeat_frame::HeartbeatMessage;
    ///
    /// assert_eq!(HeartbeatMessage::empty().envelope_base64(), "AAAAAAA=");
    /// ```
    #[must_use = "the bytes have no effect until they are sent"]
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
    fn the_error_names_the_length_and_the_limit() {
        let error = checked_length(0x1_0000_0000).expect_err("too long");
        assert_eq!(
            error.to_string(),
            "payload of 4294967296 bytes is too long for an envelope: at most 4294967295 bytes are allowed"
        );
    }
}
