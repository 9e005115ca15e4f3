use std::error::Error;
use std::fmt;

use bytes::Bytes;

/// A heartbeat in a stream of server-sent events, encoded once: its clones share one buffer.
///
/// The default is the comment without text, 2 bytes: `:` and a line feed.
///
/// # Example
///
/// ```
/// use heartbeat_frame::SseHeartbeat;
///
/// assert_eq!(SseHeartbeat::default().bytes(), ":\n");
/// assert_eq!(SseHeartbeat::comment("still here")?.bytes(), ":still here\n");
/// assert_eq!(SseHeartbeat::comment_block("still here")?.bytes(), ":still here\n\n");
/// assert_eq!(SseHeartbeat::event("beat", "42")?.bytes(), "event: beat\ndata: 42\n\n");
/// # Ok::<(), heartbeat_frame::InvalidSse>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use = "a heartbeat does nothing until it is sent"]
pub struct SseHeartbeat {
    bytes: Bytes,
}

impl SseHeartbeat {
    /// A comment line, which every client skips. It may go at the start of any line, also between
    /// the lines of an event. Fails if `text` holds a line break.
    pub fn comment(text: &str) -> Result<Self, InvalidSse> {
        let text = one_line(text).ok_or(InvalidSse::LineBreakInText)?;
        Ok(Self { bytes: format!(":{text}\n").into() })
    }

    /// A comment line and a blank line, for clients that take in whole blocks. It may go between
    /// events only: within one, the blank line would end it. Fails if `text` holds a line break.
    pub fn comment_block(text: &str) -> Result<Self, InvalidSse> {
        let text = one_line(text).ok_or(InvalidSse::LineBreakInText)?;
        Ok(Self { bytes: format!(":{text}\n\n").into() })
    }

    /// An event, for clients that are to see the heartbeat: a browser's `EventSource` hands it to
    /// the listeners for `name`, and hands no comment to anybody. It may go between events only. It
    /// has no id, so that a client that reconnects resumes after the last real event.
    ///
    /// Fails if `name` is empty or `message`, which is what real events without a name are, or if `name` or `data` holds a line break. Avoid `open` and `error`
    /// for a name: `EventSource` has events of its own that are called so.
    pub fn event(name: &str, data: &str) -> Result<Self, InvalidSse> {
        if matches!(name, "" | "message") {
            return Err(InvalidSse::NameOfRealEvents);
        }
        let name = one_line(name).ok_or(InvalidSse::LineBreakInName)?;
        let data = one_line(data).ok_or(InvalidSse::LineBreakInText)?;
        // A client drops one space after the colon: without ours, it would be one of the user's.
        Ok(Self { bytes: format!("event: {name}\ndata: {data}\n\n").into() })
    }

    /// Whether it holds a blank line, and so would end an event that it got into.
    pub(crate) fn breaks_event(&self) -> bool {
        self.bytes.ends_with(b"\n\n")
    }

    /// The bytes to send, without copying.
    #[must_use = "the bytes do nothing until they are sent"]
    pub fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }
}

impl Default for SseHeartbeat {
    /// The comment without text. Allocates nothing.
    fn default() -> Self {
        Self { bytes: Bytes::from_static(b":\n") }
    }
}

/// The text, if no client sees more than one line in it: CR alone ends a line too.
fn one_line(text: &str) -> Option<&str> {
    (!text.contains(['\n', '\r'])).then_some(text)
}

/// What a heartbeat in a stream of server-sent events cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSse {
    /// The text of the comment, or the data of the event, holds CR or LF.
    LineBreakInText,
    /// The name of the event holds CR or LF.
    LineBreakInName,
    /// The name of the event is empty, or `message`. Clients take both for the same, and would hand
    /// the heartbeat to whoever listens for real events without a name.
    NameOfRealEvents,
}

impl fmt::Display for InvalidSse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LineBreakInText => {
                "a line break (CR or LF) in the text would end its line: leave it out"
            }
            Self::LineBreakInName => {
                "a line break (CR or LF) in the event name would end its line: leave it out"
            }
            Self::NameOfRealEvents => {
                "an event without a name, or named `message`, is what real events are: \
                 give it a name of its own"
            }
        })
    }
}

impl Error for InvalidSse {}
