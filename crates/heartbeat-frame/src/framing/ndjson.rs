use bytes::Bytes;

/// A heartbeat in a stream of newline-delimited JSON: one byte, at the start of a line only.
///
/// # Example
///
/// ```
/// use heartbeat_frame::NdjsonHeartbeat;
///
/// assert_eq!(NdjsonHeartbeat::BlankLine.bytes(), "\n");
/// assert_eq!(NdjsonHeartbeat::Space.bytes(), " ");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum NdjsonHeartbeat {
    /// A line without anything in it, the default. Most readers skip it; one that hands each line to
    /// a JSON parser unseen fails on it.
    #[default]
    BlankLine,
    /// A space before the next line. JSON allows it there, so no parser fails on it, but a client
    /// that reads by lines does not see it before that line has come; and if none comes, the
    /// stream ends in a line of spaces.
    Space,
}

impl NdjsonHeartbeat {
    /// The byte to send. Allocates nothing.
    #[must_use = "the bytes do nothing until they are sent"]
    pub const fn bytes(self) -> Bytes {
        match self {
            Self::BlankLine => Bytes::from_static(b"\n"),
            Self::Space => Bytes::from_static(b" "),
        }
    }
}
