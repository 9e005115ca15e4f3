use std::mem;

use clap::ValueEnum;

#[cfg(test)]
mod tests;

/// The traffic that counts as activity of a connection. Real proxies differ in it, and the difference decides whether HTTP/2
/// PINGs prevent a cut.
///
/// The rule matters for unencrypted HTTP/2 only. On a connection without the HTTP/2 preface, for example with TLS, every byte
/// from the server counts, and no byte from the client.
///
/// # Example
///
/// ```
/// use clap::ValueEnum;
/// use heartbeat_gateway::idle_proxy::ActivityRule;
///
/// assert_eq!(ActivityRule::from_str("bytes", false), Ok(ActivityRule::Bytes)); // as the value of a flag
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum ActivityRule {
    /// HEADERS and DATA frames of both sides, as Envoy counts
    ///
    /// Envoy counts per stream, this proxy per connection. Other frames, such as PING and SETTINGS, do not count.
    Data,
    /// Any byte from the server, as nginx counts
    Bytes,
}

/// The sender of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// Decides which bytes of a connection count as activity. It has no clock and does no I/O; its input can be cut anywhere.
///
/// Of a HEADERS or DATA frame each byte counts from the type on, which is the fourth byte. The three bytes of the length
/// never count, since the type is not known yet.
///
/// The first bytes of the client decide whether the connection uses HTTP/2. Bytes that the server sends before are parsed as
/// frames. If the connection turns out not to use HTTP/2, they should have counted as activity: the bytes of the client
/// that decide it then count in their place, once per connection.
#[derive(Debug)]
pub(super) struct TrafficClassifier {
    rule: ActivityRule,
    protocol: DetectedProtocol,
    client: FrameParser,
    server: FrameParser,
}

#[derive(Debug)]
enum DetectedProtocol {
    /// The client has sent `matched` bytes of the preface. `held`: the latest bytes of the server did not count as frames, but
    /// count for [`DetectedProtocol::Other`].
    Unknown {
        matched: usize,
        held: bool,
    },
    Http2,
    Other,
}

impl TrafficClassifier {
    pub(super) fn new(rule: ActivityRule) -> Self {
        Self {
            rule,
            protocol: DetectedProtocol::Unknown { matched: 0, held: false },
            client: FrameParser::START,
            server: FrameParser::START,
        }
    }

    /// Takes the next bytes of one side. Returns whether any of them counts as activity.
    #[must_use = "the result is returned once"]
    pub(super) fn on_read(&mut self, from: Side, bytes: &[u8]) -> bool {
        match (self.rule, from) {
            (ActivityRule::Bytes, Side::Client) => false,
            (ActivityRule::Bytes, Side::Server) => !bytes.is_empty(),
            (ActivityRule::Data, Side::Client) => self.on_client(bytes),
            (ActivityRule::Data, Side::Server) => self.on_server(bytes),
        }
    }

    fn on_client(&mut self, bytes: &[u8]) -> bool {
        match &mut self.protocol {
            DetectedProtocol::Http2 => self.client.parse(bytes),
            DetectedProtocol::Other => false,
            DetectedProtocol::Unknown { matched, held } => {
                let expected = &PREFACE[*matched..];
                let (preface, frames) = bytes.split_at(expected.len().min(bytes.len()));
                if !expected.starts_with(preface) {
                    let held = mem::take(held);
                    self.protocol = DetectedProtocol::Other;
                    return held;
                }
                *matched += preface.len();
                if *matched < PREFACE.len() {
                    return false;
                }
                self.protocol = DetectedProtocol::Http2;
                self.client.parse(frames)
            }
        }
    }

    fn on_server(&mut self, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return false;
        }
        match &mut self.protocol {
            DetectedProtocol::Http2 => self.server.parse(bytes),
            DetectedProtocol::Other => true,
            DetectedProtocol::Unknown { held, .. } => {
                let counts = self.server.parse(bytes);
                *held = !counts; // activity resets the timeout, so earlier bytes no longer matter
                counts
            }
        }
    }
}

/// The first bytes of an HTTP/2 client (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// The frame types that count (RFC 9113, section 6). A CONTINUATION frame directly follows its HEADERS frame, and does not
// count.
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;

/// Size of the length of a frame, which precedes the type.
const LENGTH_BYTES: u8 = 3;
/// Size of flags and stream id, which follow the type and are not part of the length.
const AFTER_TYPE_BYTES: usize = 5;

/// Parses the frames of one direction.
#[derive(Debug)]
enum FrameParser {
    /// Between frames, or in a length.
    Start { seen: u8, length: usize },
    /// In a frame of known type; `left` bytes follow, at least one.
    Rest { left: usize, counts: bool },
}

impl FrameParser {
    const START: Self = Self::Start { seen: 0, length: 0 };

    /// Takes the next bytes. Returns whether any of them counts as activity.
    fn parse(&mut self, mut bytes: &[u8]) -> bool {
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
