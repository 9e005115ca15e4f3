//! The heartbeat of a quiet stream as it goes on the wire.
//!
//! A heartbeat that keeps a stream open past idle timeouts has to be something that the client's
//! decoder takes for a message, or skips. What that is depends on how the stream is framed:
//!
//! | the stream is | take | bytes |
//! |---|---|---|
//! | gRPC, gRPC-Web, Connect | [`HeartbeatMessage::envelope`] | 24 by default, 5 if empty |
//! | gRPC-Web-text | [`HeartbeatMessage::envelope_base64`] | 32 by default, 8 if empty |
//! | protobuf behind a framing of your own | [`HeartbeatMessage::raw`] | 19 by default, 0 if empty |
//! | protobuf, where a library does the encoding | [`GatewayEvent::heartbeat`] | 19 |
//! | server-sent events (SSE) | [`SseHeartbeat`] | 2 as a bare comment |
//! | newline-delimited JSON | [`NdjsonHeartbeat`] | 1 |
//!
//! Each is encoded once and cloned without copying; but for the base64 form, which is encoded when it
//! is asked for, and is then yours to clone. There is no runtime in here, no I/O and no gRPC library.
//!
//! # When to use it
//!
//! When you write the bytes of a stream yourself: in an HTTP body, a proxy, a test. With tonic,
//! [`GatewayEvent::heartbeat`] or any message of yours is all that you need from here. When a
//! heartbeat is owed is for `heartbeat-core` to decide, and for its adapters.
//!
//! # Where a heartbeat may go
//!
//! At a message boundary only, or it corrupts the message that it falls into. Each method says what
//! its boundary is. Where you make the messages you know where they end. Where you only see their bytes
//! go by, a [`BoundaryTracker`] knows, however they are cut:
//!
//! | the stream is | take | a heartbeat may stand |
//! |---|---|---|
//! | gRPC, gRPC-Web, Connect | [`EnvelopeTracker`] | between envelopes, up to the one that ends the stream |
//! | gRPC-Web-text | [`GrpcWebTextTracker`] | the same, where four characters end too |
//! | server-sent events | [`SseTracker`] | a comment: at the start of a line; the other forms: between events |
//! | newline-delimited JSON | [`NdjsonTracker`] | at the start of a line |
//! | known at run time only | [`Tracker`] | |
//!
//! Each also tells real events from heartbeats that somebody else put in. Where it meets what it does not
//! know it says so for good, and the stream is to be left as it is.
//!
//! # What it costs
//!
//! [`cost`] counts what travels with it: HTTP, TLS, TCP and IP, and the acknowledgement.
//!
//! # Features
//!
//! - `tonic`: the module `service`, tonic's client and server of the service that [`GatewayEvent`] belongs to. Off by
//!   default; it needs Rust 1.88.
//!
//! # Example
//!
//! ```
//! use heartbeat_frame::{GatewayEvent, HeartbeatMessage, NdjsonHeartbeat, SseHeartbeat};
//! use prost::Message;
//!
//! // What a gRPC server sends: a flag, the length, and the message.
//! let envelope = HeartbeatMessage::default().envelope();
//! assert_eq!(&envelope[..], b"\0\0\0\0\x13\x0a\x11gateway.heartbeat");
//!
//! // What its client sees, and skips.
//! let event = GatewayEvent::decode(&envelope[5..])?;
//! assert!(event.is_heartbeat());
//!
//! // What streams of text take instead.
//! assert_eq!(SseHeartbeat::default().bytes(), ":\n");
//! assert_eq!(NdjsonHeartbeat::default().bytes(), "\n");
//! # Ok::<(), prost::DecodeError>(())
//! ```

pub mod cost;
mod event;
mod framing;
mod message;
#[cfg(feature = "tonic")]
pub mod service;
mod tracker;

pub use event::{GatewayEvent, SubscribeRequest};
pub use framing::ndjson::NdjsonHeartbeat;
pub use framing::sse::{InvalidSse, SseHeartbeat};
pub use message::{HeartbeatMessage, PayloadTooLong};
pub use tracker::any::Tracker;
pub use tracker::envelope::EnvelopeTracker;
pub use tracker::grpc_web_text::GrpcWebTextTracker;
pub use tracker::ndjson::NdjsonTracker;
pub use tracker::sse::SseTracker;
pub use tracker::{Boundary, BoundaryTracker, Passed};
