use std::error::Error;
use std::fmt;

use bytes::Bytes;

/// A heartbeat for server-sent events. It is encoded once, and clones share the buffers.
///
/// The default is a comment without text: `:` and a line feed, 2 bytes.
///
/// A heartbeat should have the [line end](LineEnd) of the stream that it is inserted into. Clients accept any
/// line end by the HTML standard, but some look for `\r\n\r\n` between events: a bare line feed before it
/// makes them merge or delay events.
///
/// # Example
///
/// ```
/// use heartbeat_frame::{LineEnd, SseHeartbeat};
///
/// assert_eq!(SseHeartbeat::default().bytes(), ":\n");
/// assert_eq!(SseHeartbeat::comment("still here")?.bytes(), ":still here\n");
/// assert_eq!(SseHeartbeat::comment_block("still here")?.bytes(), ":still here\n\n");
/// assert_eq!(SseHeartbeat::event("ping", "42")?.bytes(), "event: ping\ndata: 42\n\n");
/// assert_eq!(SseHeartbeat::default().bytes_with(LineEnd::CrLf), ":\r\n");
/// # Ok::<(), heartbeat_frame::InvalidSse>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use = "a heartbeat has no effect until it is sent"]
pub struct SseHeartbeat {
    lf: Bytes,
    cr_lf: Bytes,
}

/// How the lines of a stream end.
///
/// The HTML standard also allows CR alone. There is no such variant because an LF that belongs to the CR may
/// follow, and clients that know LF and CR LF only would read a heartbeat after a CR as a part of the line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum LineEnd {
    /// A line feed (the default).
    #[default]
    Lf,
    /// A carriage return and a line feed.
    CrLf,
}

impl SseHeartbeat {
    /// A comment line, which every client skips. It may be inserted at the start of any line, also
    /// between the lines of an event.
    ///
    /// # Errors
    ///
    /// Fails if `text` contains a line break.
    pub fn comment(text: &str) -> Result<Self, InvalidSse> {
        let text = one_line(text).ok_or(InvalidSse::LineBreakInText)?;
        Ok(Self::new(format!(":{text}\n")))
    }

    /// A comment line and a blank line, for clients that read blocks. It may be inserted only between
    /// events: inside an event, the blank line would end the event.
    ///
    /// Use [`comment`](Self::comment) unless your clients need the blank line: some yield an empty event for it,
    /// always or after an event with an id. `docs/parsers.md` in the repository lists clients.
    ///
    /// # Errors
    ///
    /// Fails if `text` contains a line break.
    pub fn comment_block(text: &str) -> Result<Self, InvalidSse> {
        let text = one_line(text).ok_or(InvalidSse::LineBreakInText)?;
        Ok(Self::new(format!(":{text}\n\n")))
    }

    /// A named event, for clients that must see the heartbeat: the `EventSource` of a browser passes it
    /// to the listeners for `name`, but hides comments. It may be inserted only between events. It has
    /// no id, so that a client that reconnects resumes after the last real event.
    ///
    /// Avoid the names `open` and `error`: `EventSource` has its own events of these names.
    ///
    /// # Errors
    ///
    /// Fails if `name` is empty or `message`, which is how clients see events without a name, or if
    /// `name` or `data` contains a line break.
    pub fn event(name: &str, data: &str) -> Result<Self, InvalidSse> {
        if matches!(name, "" | "message") {
            return Err(InvalidSse::ReservedName);
        }
        let name = one_line(name).ok_or(InvalidSse::LineBreakInName)?;
        let data = one_line(data).ok_or(InvalidSse::LineBreakInText)?;
        // A client removes one space after the colon: without this one, it would remove a space of `data`.
        Ok(Self::new(format!("event: {name}\ndata: {data}\n\n")))
    }

    /// `lf` has no line break other than LF.
    fn new(lf: String) -> Self {
        Self { cr_lf: lf.replace('\n', "\r\n").into(), lf: lf.into() }
    }

    /// Whether it contains a blank line, which would end the event that it is inserted into.
    pub(crate) fn breaks_event(&self) -> bool {
        self.lf.ends_with(b"\n\n")
    }

    /// The bytes to send in a stream whose lines end with LF, without copying.
    #[must_use = "the bytes have no effect until they are sent"]
    pub fn bytes(&self) -> Bytes {
        self.lf.clone()
    }

    /// The bytes to send in a stream with these line ends, without copying. An
    /// [`SseTracker`](crate::SseTracker::line_end) knows the line end.
    #[must_use = "the bytes have no effect until they are sent"]
    pub fn bytes_with(&self, line_end: LineEnd) -> Bytes {
        match line_end {
            LineEnd::Lf => self.lf.clone(),
            LineEnd::CrLf => self.cr_lf.clone(),
        }
    }
}

impl Default for SseHeartbeat {
    /// A comment without text. Does not allocate.
    fn default() -> Self {
        Self { lf: Bytes::from_static(b":\n"), cr_lf: Bytes::from_static(b":\r\n") }
    }
}

/// The text, if it is a single line. CR alone ends a line too.
fn one_line(text: &str) -> Option<&str> {
    (!text.contains(['\n', '\r'])).then_some(text)
}

/// The text or name of an [`SseHeartbeat`] is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSse {
    /// The text of the comment or the data of the event contains CR or LF.
    LineBreakInText,
    /// The name of the event contains CR or LF.
    LineBreakInName,
    /// The name of the event is empty or `message`. Clients treat both alike, and would pass the
    /// heartbeat to the listeners for events without a name.
    ReservedName,
}

impl fmt::Display for InvalidSse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LineBreakInText => "text contains a line break: CR and LF are not allowed",
            Self::LineBreakInName => "event name contains a line break: CR and LF are not allowed",
            Self::ReservedName => {
                "event name is empty or `message`, like that of real events: another name is required"
            }
        })
    }
}

impl Error for InvalidSse {}
