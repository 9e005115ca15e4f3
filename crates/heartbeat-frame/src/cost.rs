//! The cost of a heartbeat on the wire.
//!
//! Around a small heartbeat, the protocol overhead dominates. [`Cost`] lists the parts, and [`Rate`]
//! computes the traffic per day and the bandwidth of any number of streams.
//!
//! # Exact and estimated parts
//!
//! Exact are the bytes that the server writes: payload, envelope, HTTP and TLS. A test compares them
//! with bytes that were counted on sockets (`tests/wire_cost.rs` of `heartbeat-http`). They are exact
//! for heartbeats of up to 16,375 bytes, which HTTP/2 and TLS need not split; of longer ones each layer
//! splits as little as possible, and an implementation may split more. TLS is version 1.3, without
//! padding, and with one of the usual cipher suites, whose tags have 16 bytes.
//!
//! Estimated are TCP and IP: a heartbeat in a silence has its own segment, and an acknowledgement
//! answers it. Both have the usual timestamp option. Not counted are retransmissions, the link layer
//! (38 bytes per segment for Ethernet), and messages that clients send on their own. Most HTTP/2
//! clients send a `WINDOW_UPDATE` after a thousand heartbeats or more; some gRPC clients answer each
//! heartbeat with a PING to measure the connection, which the server acknowledges. `docs/wire-cost.md`
//! has figures.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use heartbeat_frame::HeartbeatMessage;
//! use heartbeat_frame::cost::{Cost, Frame, Http, Ip, Rate, Transport};
//!
//! // A gRPC heartbeat over TLS.
//! let frame = Frame::envelope(&HeartbeatMessage::default());
//! let cost = Cost::new(frame, Transport { http: Http::Http2, tls: true, ip: Ip::V4 });
//! assert_eq!(cost.application_bytes(), 19 + 5 + 9); // message, envelope, header of a DATA frame
//! assert_eq!(cost.wire_bytes(), 33 + 22); // TLS record
//! assert_eq!(cost.total_bytes(), 55 + 52 + 52); // segment, acknowledgement
//!
//! // A million streams that are silent all day.
//! let rate = Rate { interval: Duration::from_secs(15), streams: 1_000_000 };
//! assert_eq!(rate.bytes_per_day(cost.total_bytes()), 915_840_000_000);
//! assert_eq!(rate.bits_per_second(cost.total_bytes()), 84_800_000);
//! ```

use core::time::Duration;

use crate::{HeartbeatMessage, NdjsonHeartbeat, SseHeartbeat};

/// A heartbeat as a protocol frames it: the bytes above HTTP.
///
/// # Example
///
/// ```
/// use heartbeat_frame::cost::{Cost, Frame, Http, Ip, Transport};
/// use heartbeat_frame::{HeartbeatMessage, SseHeartbeat};
///
/// let over = Transport { http: Http::Http1, tls: false, ip: Ip::V4 };
/// let comment = Cost::new(Frame::sse(&SseHeartbeat::default()), over);
/// let message = Cost::new(Frame::envelope_base64(&HeartbeatMessage::empty()), over);
/// assert_eq!(comment.application_bytes(), 7); // "2\r\n:\n\r\n"
/// assert_eq!(message.application_bytes(), 13); // "8\r\nAAAAAAA=\r\n"
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "a frame has no effect until its cost is computed"]
pub struct Frame {
    payload_bytes: u64,
    envelope_bytes: u64,
    channel: Channel,
}

/// The part of a connection that carries a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Channel {
    /// The body of a response.
    Body,
    /// A WebSocket, on which the client answers.
    WebSocket,
}

impl Frame {
    /// A message in the envelope of gRPC, gRPC-Web and Connect.
    pub fn envelope(message: &HeartbeatMessage) -> Self {
        Self::message(message, message.envelope().len())
    }

    /// A message in the base64 envelope of gRPC-Web-text.
    pub fn envelope_base64(message: &HeartbeatMessage) -> Self {
        Self::message(message, message.envelope_base64().len())
    }

    /// A heartbeat of server-sent events. All bytes count as payload.
    pub fn sse(heartbeat: &SseHeartbeat) -> Self {
        Self::text(heartbeat.bytes().len())
    }

    /// A heartbeat of newline-delimited JSON. All bytes count as payload.
    pub fn ndjson(heartbeat: NdjsonHeartbeat) -> Self {
        Self::text(heartbeat.bytes().len())
    }

    /// A WebSocket Ping without payload. The client answers it with a Pong. Over HTTP/1.1 there is no
    /// HTTP overhead once the connection is upgraded; over HTTP/2 the WebSocket uses DATA frames.
    pub const fn ping() -> Self {
        Self { payload_bytes: 0, envelope_bytes: PING, channel: Channel::WebSocket }
    }

    fn message(message: &HeartbeatMessage, framed: usize) -> Self {
        let payload = message.raw().len();
        Self {
            payload_bytes: payload as u64,
            envelope_bytes: (framed - payload) as u64,
            channel: Channel::Body,
        }
    }

    fn text(length: usize) -> Self {
        Self { payload_bytes: length as u64, envelope_bytes: 0, channel: Channel::Body }
    }
}

/// The layers below the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Transport {
    /// The version of HTTP.
    pub http: Http,
    /// Whether TLS is used.
    pub tls: bool,
    /// The version of IP.
    pub ip: Ip,
}

/// A version of HTTP, with its overhead for a piece of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Http {
    /// HTTP/1.1: a chunk adds its length in hexadecimal digits and two line ends.
    Http1,
    /// HTTP/2: a DATA frame adds a header of 9 bytes.
    Http2,
}

/// A version of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ip {
    /// IPv4: a header of 20 bytes.
    V4,
    /// IPv6: a header of 40 bytes.
    V6,
}

/// The sizes of an empty Ping, and of its Pong, which also has a mask.
const PING: u64 = 2;
const PONG: u64 = PING + 4;

/// The size of an HTTP/2 frame header, and the default limit for the payload of a frame.
const FRAME_HEADER: u64 = 9;
const MAX_FRAME: u64 = 16_384;

/// The overhead of a TLS 1.3 record (header, content type and tag), and the limit for its payload.
const RECORD_OVERHEAD: u64 = 5 + 1 + 16;
const MAX_RECORD: u64 = 16_384;

/// The size of a TCP header with timestamps.
const TCP_HEADER: u64 = 20 + 12;

/// The largest Ethernet payload.
const MAX_PACKET: u64 = 1500;

/// The overhead of bytes that are sent over a transport, and the number of their segments.
struct Encoded {
    http_bytes: u64,
    tls_bytes: u64,
    tcp_ip_bytes: u64,
    segments: u64,
}

impl Transport {
    /// Encodes `bytes`, at least one.
    fn carry(self, channel: Channel, bytes: u64) -> Encoded {
        let http_bytes = match (self.http, channel) {
            (Http::Http1, Channel::Body) => u64::from(bytes.ilog(16)) + 1 + "\r\n\r\n".len() as u64,
            (Http::Http1, Channel::WebSocket) => 0,
            (Http::Http2, _) => bytes.div_ceil(MAX_FRAME) * FRAME_HEADER,
        };
        let application = bytes + http_bytes;
        let tls_bytes =
            if self.tls { application.div_ceil(MAX_RECORD) * RECORD_OVERHEAD } else { 0 };
        let headers = self.ip.headers();
        let segments = (application + tls_bytes).div_ceil(MAX_PACKET - headers);
        Encoded { http_bytes, tls_bytes, tcp_ip_bytes: segments * headers, segments }
    }
}

impl Ip {
    /// The size of the headers of a segment.
    const fn headers(self) -> u64 {
        let header = match self {
            Self::V4 => 20,
            Self::V6 => 40,
        };
        header + TCP_HEADER
    }
}

/// The cost of one heartbeat in bytes, part by part. The [module](self) documents which parts are
/// estimated.
///
/// # Example
///
/// ```
/// use heartbeat_frame::NdjsonHeartbeat;
/// use heartbeat_frame::cost::{Cost, Frame, Http, Ip, Transport};
///
/// let frame = Frame::ndjson(NdjsonHeartbeat::BlankLine);
/// let cost = Cost::new(frame, Transport { http: Http::Http1, tls: true, ip: Ip::V6 });
/// let Cost { payload_bytes, http_bytes, tls_bytes, tcp_ip_bytes, ack_bytes, .. } = cost;
/// let parts = [payload_bytes, http_bytes, tls_bytes, tcp_ip_bytes, ack_bytes];
/// assert_eq!(parts, [1, 5, 22, 72, 72]);
/// assert_eq!(cost.total_bytes(), 172);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[must_use = "a cost has no effect"]
pub struct Cost {
    /// The message or the text. Exact.
    pub payload_bytes: u64,
    /// The overhead of the protocol. Exact.
    pub envelope_bytes: u64,
    /// The overhead of HTTP. Exact.
    pub http_bytes: u64,
    /// The overhead of TLS. Exact.
    pub tls_bytes: u64,
    /// The TCP and IP headers. Estimated.
    pub tcp_ip_bytes: u64,
    /// The segment of the answer of the client: the Pong of a Ping, otherwise zero. It also
    /// acknowledges the heartbeat. The content is exact, the headers are estimated.
    pub answer_bytes: u64,
    /// The segment that acknowledges the last one. Estimated.
    pub ack_bytes: u64,
}

impl Cost {
    /// The cost of a heartbeat over a transport.
    pub fn new(frame: Frame, over: Transport) -> Self {
        let Frame { payload_bytes, envelope_bytes, channel } = frame;
        let Encoded { http_bytes, tls_bytes, tcp_ip_bytes, segments } =
            over.carry(channel, payload_bytes + envelope_bytes);
        let answer_bytes = match channel {
            Channel::Body => 0,
            Channel::WebSocket => {
                let pong = over.carry(channel, PONG);
                PONG + pong.http_bytes + pong.tls_bytes + pong.tcp_ip_bytes
            }
        };
        Self {
            payload_bytes,
            envelope_bytes,
            http_bytes,
            tls_bytes,
            tcp_ip_bytes,
            answer_bytes,
            // One for every two segments, and one for a last single segment.
            ack_bytes: segments.div_ceil(2) * over.ip.headers(),
        }
    }

    /// The bytes that the server writes above TLS. Exact.
    #[must_use]
    pub const fn application_bytes(&self) -> u64 {
        self.payload_bytes + self.envelope_bytes + self.http_bytes
    }

    /// The bytes that the server writes to its socket. Exact.
    #[must_use]
    pub const fn wire_bytes(&self) -> u64 {
        self.application_bytes() + self.tls_bytes
    }

    /// The bytes on the network in both directions. Partly estimated.
    #[must_use]
    pub const fn total_bytes(&self) -> u64 {
        self.wire_bytes() + self.tcp_ip_bytes + self.answer_bytes + self.ack_bytes
    }
}

/// The rate of heartbeats on a number of streams that are silent all the time: one per interval and stream.
///
/// Streams with events cost less, since heartbeats are sent in silences only.
///
/// An interval of zero disables heartbeats (T1), and one of 584 years or more means never (T8): the
/// rate is zero. Results are rounded down. They are exact up to [`u64::MAX`], to which greater ones are
/// clamped.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use heartbeat_frame::cost::Rate;
///
/// let rate = Rate { interval: Duration::from_secs(15), streams: 1 };
/// assert_eq!(rate.heartbeats_per_day(), 5760);
/// assert_eq!(rate.bytes_per_day(159), 915_840);
///
/// assert_eq!(Rate { interval: Duration::ZERO, ..rate }.bytes_per_day(159), 0);
/// let flood = Rate { interval: Duration::from_nanos(1), streams: u64::MAX };
/// assert_eq!(flood.bytes_per_day(159), u64::MAX);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// The time between two heartbeats of a stream.
    pub interval: Duration,
    /// The number of streams.
    pub streams: u64,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Rate {
    /// The number of heartbeats per day on all streams together.
    #[must_use]
    pub fn heartbeats_per_day(&self) -> u64 {
        self.per(DAY, 1)
    }

    /// The traffic per day of all streams together, for heartbeats of `bytes_per_heartbeat`.
    #[must_use]
    pub fn bytes_per_day(&self, bytes_per_heartbeat: u64) -> u64 {
        self.per(DAY, bytes_per_heartbeat)
    }

    /// The bandwidth of all streams together, for heartbeats of `bytes_per_heartbeat`.
    #[must_use]
    pub fn bits_per_second(&self, bytes_per_heartbeat: u64) -> u64 {
        // The bits per second are the bytes per 8 seconds.
        self.per(Duration::from_secs(8), bytes_per_heartbeat)
    }

    /// The sum of `each` over all heartbeats in `time`.
    fn per(&self, time: Duration, each: u64) -> u64 {
        let interval = match u64::try_from(self.interval.as_nanos()) {
            Ok(0) | Err(_) => return 0,
            Ok(nanos) => u128::from(nanos),
        };
        // Multiplied in two parts, so that neither overflows nor loses precision.
        let (round, time) = (u128::from(each) * u128::from(self.streams), time.as_nanos());
        let whole = (round / interval).saturating_mul(time);
        let rest = round % interval * time / interval;
        u64::try_from(whole.saturating_add(rest)).unwrap_or(u64::MAX)
    }
}
