use bytes::Bytes;

/// A heartbeat for newline-delimited JSON: one byte, inserted at the start of a line, or after white space
/// that the application has sent there ([`NdjsonTracker::heartbeat_here`]).
///
/// # Example
///
/// ```
/// use heartbeat_frame::NdjsonHeartbeat;
///
/// assert_eq!(NdjsonHeartbeat::BlankLine.bytes(), "\n");
/// assert_eq!(NdjsonHeartbeat::Space.bytes(), " ");
/// ```
///
/// [`NdjsonTracker::heartbeat_here`]: crate::NdjsonTracker::heartbeat_here
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum NdjsonHeartbeat {
    /// An empty line (the default). Most readers skip it; a reader that passes every line to a JSON
    /// parser fails.
    #[default]
    BlankLine,
    /// A space before the next line. JSON allows it, so no parser fails. A client that reads lines does
    /// not see it until the next line is complete. If no line follows, the stream ends with a line of
    /// spaces.
    Space,
}

impl NdjsonHeartbeat {
    /// The byte to send. Does not allocate.
    #[must_use = "the bytes have no effect until they are sent"]
    pub const fn bytes(self) -> Bytes {
        match self {
            Self::BlankLine => Bytes::from_static(b"\n"),
            Self::Space => Bytes::from_static(b" "),
        }
    }
}
