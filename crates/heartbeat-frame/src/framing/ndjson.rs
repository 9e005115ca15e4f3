use bytes::Bytes;

/// A heartbeat for newline-delimited JSON: one byte, inserted at the start of a line, or after white space
/// that the application has sent there ([`NdjsonTracker::heartbeat_here`]).
///
/// Readers that parse the whole stream as JSON accept both forms: `serde_json`'s `StreamDeserializer`, jq, ijson,
/// pandas and polars. For readers of lines, see the variants. No form suits a reader that skips no lines if
/// streams end in silence. `docs/parsers.md` in the repository lists readers.
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
    /// An empty line (the default), for readers that skip empty lines. A reader that passes every line to a
    /// JSON parser fails, such as `json.loads`, `JSON.parse` or `serde_json::from_str` per line.
    #[default]
    BlankLine,
    /// A space before the next line, for readers that pass every line to a JSON parser: JSON allows it there.
    /// A client that reads lines does not see it until the next line is complete.
    ///
    /// If no line follows, the stream ends with a line of spaces, and readers of lines fail, unless they skip
    /// lines of white space. A line feed after the space would not change that. If the server itself
    /// sends empty lines, a reader that skips only empty lines fails too.
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
