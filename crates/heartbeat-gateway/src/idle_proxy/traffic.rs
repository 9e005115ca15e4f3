use std::mem;

use clap::ValueEnum;

#[cfg(test)]
mod tests;

/// What keeps a connection from being idle. Proxies differ in it, and the difference decides
/// whether HTTP/2 keep-alive pings help against them.
///
/// It makes a difference for HTTP/2 in plain text only. On a connection that does not open with the
/// HTTP/2 preface, TLS included, any byte of the server's counts and none of the client's, whatever
/// is chosen.
///
/// # Example
///
/// ```
/// use clap::ValueEnum;
/// use heartbeat_gateway::idle_proxy::IdleCounts;
///
/// assert_eq!(IdleCounts::from_str("bytes", false), Ok(IdleCounts::Bytes)); // as a flag's value
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum IdleCounts {
    /// HEADERS and DATA frames of either side, as in Envoy (which counts per stream, this proxy per
    /// connection). PING, SETTINGS, `WINDOW_UPDATE` and all other frames do not count.
    Data,
    /// Any byte of the server's, as in nginx. The client's do not count.
    Bytes,
}

/// Who sent the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// Tells which bytes of a connection count as activity. Holds no clock and does no I/O: it is fed
/// what was read, cut anywhere, and keeps none of it.
///
/// In a HEADERS or DATA frame each byte counts from the type on, the fourth byte of the frame, and
/// so does its payload. The three bytes before it never count: nobody can tell yet what they begin.
///
/// The client's first bytes decide whether this is HTTP/2. A server need not wait for them, so its
/// bytes may come before the verdict. Until then they are followed as frames. If it is HTTP/2, that
/// was right and nothing is left to do. If not, they should have counted: the verdict itself then
/// counts in their place, which is late, but once per connection and in favour of the connection.
/// A client that never says anything leaves the verdict open.
#[derive(Debug)]
pub(super) struct Traffic {
    counts: IdleCounts,
    protocol: Protocol,
    client: Frames,
    server: Frames,
}

#[derive(Debug)]
enum Protocol {
    /// The client has sent this much of the preface. `held` while the server's last bytes did not
    /// count as frames, but would if the verdict were [`Protocol::Other`].
    Unknown {
        matched: usize,
        held: bool,
    },
    Http2,
    Other,
}

impl Traffic {
    pub(super) fn new(counts: IdleCounts) -> Self {
        Self {
            counts,
            protocol: Protocol::Unknown { matched: 0, held: false },
            client: Frames::START,
            server: Frames::START,
        }
    }

    /// Takes the next bytes of one side and says whether any of them counts.
    #[must_use = "it is not said again"]
    pub(super) fn on_read(&mut self, from: Side, bytes: &[u8]) -> bool {
        match (self.counts, from) {
            (IdleCounts::Bytes, Side::Client) => false,
            (IdleCounts::Bytes, Side::Server) => !bytes.is_empty(),
            (IdleCounts::Data, Side::Client) => self.on_client(bytes),
            (IdleCounts::Data, Side::Server) => self.on_server(bytes),
        }
    }

    fn on_client(&mut self, bytes: &[u8]) -> bool {
        match &mut self.protocol {
            Protocol::Http2 => self.client.follow(bytes),
            Protocol::Other => false,
            Protocol::Unknown { matched, held } => {
                let expected = &PREFACE[*matched..];
                let (preface, frames) = bytes.split_at(expected.len().min(bytes.len()));
                if !expected.starts_with(preface) {
                    let held = mem::take(held);
                    self.protocol = Protocol::Other;
                    return held;
                }
                *matched += preface.len();
                if *matched < PREFACE.len() {
                    return false;
                }
                self.protocol = Protocol::Http2;
                self.client.follow(frames)
            }
        }
    }

    fn on_server(&mut self, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return false;
        }
        match &mut self.protocol {
            Protocol::Http2 => self.server.follow(bytes),
            Protocol::Other => true,
            Protocol::Unknown { held, .. } => {
                let counts = self.server.follow(bytes);
                *held = !counts; // bytes that count make up for all that were held back before them
                counts
            }
        }
    }
}

/// What a client that speaks HTTP/2 sends first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// The types of frames that count (RFC 9113, section 6). A CONTINUATION does not: it comes on the
// heels of its HEADERS.
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;

/// Before the type in a frame's header: its length, in big-endian order.
const LENGTH_BYTES: u8 = 3;
/// After the type: one byte of flags, four of the stream's number. The length leaves them out.
const AFTER_TYPE_BYTES: usize = 5;

/// Follows the frames of one direction, by their lengths.
#[derive(Debug)]
enum Frames {
    /// Between two frames, or in a header before its type.
    Start { seen: u8, length: usize },
    /// In a frame of known type, with this much to come: never zero.
    Rest { left: usize, counts: bool },
}

impl Frames {
    const START: Self = Self::Start { seen: 0, length: 0 };

    /// Takes the next bytes and says whether any of them counts.
    fn follow(&mut self, mut bytes: &[u8]) -> bool {
        let mut any = false;
        while let Some((&byte, after)) = bytes.split_first() {
            match self {
                Self::Start { seen, length } if *seen < LENGTH_BYTES => {
                    *seen += 1;
                    *length = *length << 8 | usize::from(byte);
                    bytes = after;
                }
                Self::Start { length, .. } => {
                    let counts = matches!(byte, DATA | HEADERS);
                    any |= counts;
                    *self = Self::Rest { left: *length + AFTER_TYPE_BYTES, counts };
                    bytes = after;
                }
                Self::Rest { left, counts } => {
                    any |= *counts;
                    let skipped = bytes.len().min(*left);
                    *left -= skipped;
                    bytes = &bytes[skipped..];
                    if *left == 0 {
                        *self = Self::START;
                    }
                }
            }
        }
        any
    }
}
