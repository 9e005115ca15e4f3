//! What a heartbeat costs on the wire.
//!
//! A heartbeat of few bytes pays for everything that it travels in. [`Cost`] says for what, part by part, and
//! [`Rate`] what becomes of that in a day, for one stream or for a fleet.
//!
//! # What is exact, and what is estimated
//!
//! Exact, and compared with bytes that were counted on sockets (`tests/wire_cost.rs` of `heartbeat-http`): what
//! the server writes, which is payload, envelope, HTTP and TLS. This holds for a heartbeat that HTTP/2 and TLS need
//! not cut, which is one of up to 16,375 bytes; of a longer one each cuts as much as it must, and an
//! implementation may do more. TLS is 1.3, without padding and with one of the cipher suites that are in use, whose
//! tags have 16 bytes.
//!
//! Estimated: TCP and IP. In a silence a heartbeat shares its segment with nothing, and nothing but an
//! acknowledgement answers it; that is counted, and both with the timestamp option, which is usual. Not
//! counted: what is lost and sent again; the link layer below, of which Ethernet takes 38 bytes for each segment;
//! and what clients send of their own accord. Most clients of HTTP/2 send a `WINDOW_UPDATE` after a thousand
//! heartbeats or more. But some of gRPC's answer each with a PING to measure the connection, which the server
//! answers in turn; `docs/wire-cost.md` has figures.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use heartbeat_frame::HeartbeatMessage;
//! use heartbeat_frame::cost::{Cost, Frame, Http, Ip, Rate, Transport};
//!
//! // gRPC over TLS.
//! let frame = Frame::envelope(&HeartbeatMessage::default());
//! let cost = Cost::new(frame, Transport { http: Http::Http2, tls: true, ip: Ip::V4 });
//! assert_eq!(cost.application_bytes(), 19 + 5 + 9); // message, envelope, header of a DATA frame
//! assert_eq!(cost.wire_bytes(), 33 + 22); // in a TLS record
//! assert_eq!(cost.total_bytes(), 55 + 52 + 52); // in a segment, and the acknowledgement
//!
//! // A million such streams, each silent all day.
//! let rate = Rate { interval: Duration::from_secs(15), streams: 1_000_000 };
//! assert_eq!(rate.bytes_per_day(cost.total_bytes()), 915_840_000_000);
//! assert_eq!(rate.bits_per_second(cost.total_bytes()), 84_800_000);
//! ```

use core::time::Duration;

use crate::{HeartbeatMessage, NdjsonHeartbeat, SseHeartbeat};

/// What a protocol makes of a heartbeat: the bytes above HTTP.
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
#[must_use = "a frame says nothing until its cost is asked for"]
pub struct Frame {
    payload_bytes: u64,
    envelope_bytes: u64,
    channel: Channel,
}

/// What of a connection a heartbeat goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Channel {
    /// The body of a response.
    Body,
    /// A WebSocket, whose client answers.
    WebSocket,
}

impl Frame {
    /// A message in the envelope of gRPC, gRPC-Web and Connect.
    pub fn envelope(message: &HeartbeatMessage) -> Self {
        Self::message(message, message.envelope().len())
    }

    /// The same in base64, as gRPC-Web-text has it.
    pub fn envelope_base64(message: &HeartbeatMessage) -> Self {
        Self::message(message, message.envelope_base64().len())
    }

    /// A heartbeat among server-sent events. All of it counts as payload.
    pub fn sse(heartbeat: &SseHeartbeat) -> Self {
        Self::text(heartbeat.bytes().len())
    }

    /// A heartbeat in newline-delimited JSON. All of it counts as payload.
    pub fn ndjson(heartbeat: NdjsonHeartbeat) -> Self {
        Self::text(heartbeat.bytes().len())
    }

    /// A Ping of a WebSocket, without payload. Over HTTP/1.1 nothing is left of HTTP once the connection is
    /// upgraded; over HTTP/2 the WebSocket lives in DATA frames. It is the one heartbeat that the client
    /// answers, with a Pong.
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

/// What a heartbeat travels over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Transport {
    /// The version of HTTP.
    pub http: Http,
    /// Whether it is HTTP over TLS.
    pub tls: bool,
    /// The version of IP.
    pub ip: Ip,
}

/// A version of HTTP, and what it puts around a piece of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Http {
    /// HTTP/1.1: a chunk, which is the length in hexadecimal digits and two line ends.
    Http1,
    /// HTTP/2: a DATA frame, which is a header of 9 bytes.
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

/// The frame of a Ping that holds nothing, and that of the Pong, which has a mask too.
const PING: u64 = 2;
const PONG: u64 = PING + 4;

/// The header of a frame of HTTP/2, and how much the peer takes in one unless it says otherwise.
const FRAME_HEADER: u64 = 9;
const MAX_FRAME: u64 = 16_384;

/// What TLS 1.3 adds to a record, which is its header, the type of the content and the tag; and how much
/// one holds.
const RECORD_OVERHEAD: u64 = 5 + 1 + 16;
const MAX_RECORD: u64 = 16_384;

/// The header of TCP, with timestamps.
const TCP_HEADER: u64 = 20 + 12;

/// The longest packet of Ethernet.
const MAX_PACKET: u64 = 1500;

/// What is added to bytes that go through a transport, and in how many segments they go.
struct Encoded {
    http_bytes: u64,
    tls_bytes: u64,
    tcp_ip_bytes: u64,
    segments: u64,
}

impl Transport {
    /// Carries `bytes`, of which there is at least one.
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
    /// The headers of a segment.
    const fn headers(self) -> u64 {
        let header = match self {
            Self::V4 => 20,
            Self::V6 => 40,
        };
        header + TCP_HEADER
    }
}

/// What one heartbeat costs in bytes, part by part; [see above](self) for what of it is estimated.
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
#[must_use = "a cost does nothing until it is looked at"]
pub struct Cost {
    /// The message, or the text. Exact.
    pub payload_bytes: u64,
    /// What the protocol puts around it. Exact.
    pub envelope_bytes: u64,
    /// What HTTP puts around that. Exact.
    pub http_bytes: u64,
    /// What TLS puts around that. Exact.
    pub tls_bytes: u64,
    /// The headers of the segment that it all goes in. Estimated.
    pub tcp_ip_bytes: u64,
    /// The segment in which the client answers: the Pong of a Ping, else nothing. What it holds is exact,
    /// its headers are estimated. It acknowledges the heartbeat as well.
    pub answer_bytes: u64,
    /// The segment without data that acknowledges the last one. Estimated.
    pub ack_bytes: u64,
}

impl Cost {
    /// What a heartbeat of that form costs over that transport.
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
            // One for every two segments, and for a last one that is left.
            ack_bytes: segments.div_ceil(2) * over.ip.headers(),
        }
    }

    /// What the server writes above TLS. Exact.
    #[must_use]
    pub const fn application_bytes(&self) -> u64 {
        self.payload_bytes + self.envelope_bytes + self.http_bytes
    }

    /// What the server writes to its socket. Exact.
    #[must_use]
    pub const fn wire_bytes(&self) -> u64 {
        self.application_bytes() + self.tls_bytes
    }

    /// What goes over the network, in both directions.
    #[must_use]
    pub const fn total_bytes(&self) -> u64 {
        self.wire_bytes() + self.tcp_ip_bytes + self.answer_bytes + self.ack_bytes
    }
}

/// How often heartbeats go out: on so many streams, each silent all the time, one per interval.
///
/// Streams that have events cost less, for heartbeats fill their silences only.
///
/// With an interval of zero there are none (T1), and none in 584 years or more (T8): they cost nothing.
/// All sums are rounded down, and are exact up to [`u64::MAX`], which stands for whatever is more.
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
    /// How many streams there are.
    pub streams: u64,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Rate {
    /// How many heartbeats there are in a day on all streams together.
    #[must_use]
    pub fn heartbeats_per_day(&self) -> u64 {
        self.per(DAY, 1)
    }

    /// What heartbeats of so many bytes come to in a day on all streams together.
    #[must_use]
    pub fn bytes_per_day(&self, bytes_per_heartbeat: u64) -> u64 {
        self.per(DAY, bytes_per_heartbeat)
    }

    /// The bandwidth that heartbeats of so many bytes take on all streams together.
    #[must_use]
    pub fn bits_per_second(&self, bytes_per_heartbeat: u64) -> u64 {
        // As many bits in a second as there are bytes in eight.
        self.per(Duration::from_secs(8), bytes_per_heartbeat)
    }

    /// The sum of what each heartbeat adds in such a time.
    fn per(&self, time: Duration, each: u64) -> u64 {
        let interval = match u64::try_from(self.interval.as_nanos()) {
            Ok(0) | Err(_) => return 0,
            Ok(nanos) => u128::from(nanos),
        };
        // Multiplied in two parts, neither of which loses anything to the other's size.
        let (round, time) = (u128::from(each) * u128::from(self.streams), time.as_nanos());
        let whole = (round / interval).saturating_mul(time);
        let rest = round % interval * time / interval;
        u64::try_from(whole.saturating_add(rest)).unwrap_or(u64::MAX)
    }
}
