//! The bytes of a heartbeat, and where it may be inserted into a stream.
//!
//! A heartbeat that keeps a stream open must be something that the decoder of the client treats as a
//! message or skips. What that is depends on the framing of the stream:
//!
//! | framing | use | bytes |
//! |---|---|---|
//! | gRPC, gRPC-Web, Connect | [`HeartbeatMessage::envelope`] | 24 by default, 5 if empty |
//! | gRPC-Web-text | [`HeartbeatMessage::envelope_base64`] | 32 by default, 8 if empty |
//! | protobuf in your own framing | [`HeartbeatMessage::raw`] | 19 by default, 0 if empty |
//! | protobuf that a library encodes | [`GatewayEvent::heartbeat`] | 19 |
//! | server-sent events (SSE) | [`SseHeartbeat`] | 2 as a bare comment |
//! | newline-delimited JSON | [`NdjsonHeartbeat`] | 1 |
//!
//! Each heartbeat is encoded once, and its clones share the buffer. The base64 form is the exception:
//! it is encoded by each call. The crate has no runtime, no I/O and no gRPC library.
//!
//! # When to use it
//!
//! Use this crate if you write the bytes of a stream yourself: in an HTTP body, a proxy or a test. With
//! tonic, [`GatewayEvent::heartbeat`] or a message of your own is all that you need. `heartbeat-core`
//! and its adapters decide when a heartbeat is due.
//!
//! # Where a heartbeat may be inserted
//!
//! Only at a message boundary; elsewhere it corrupts a message. Each method documents its boundary. If
//! you create the messages, you know the boundaries. If you only see the bytes, in pieces of any size,
//! use a [`BoundaryTracker`]:
//!
//! | framing | use | boundary |
//! |---|---|---|
//! | gRPC, gRPC-Web, Connect | [`EnvelopeTracker`] | between envelopes, before the one that ends the stream |
//! | gRPC-Web-text | [`GrpcWebTextTracker`] | likewise, if a group of four characters ends there too |
//! | server-sent events | [`SseTracker`] | the start of a line for a comment, between events for the other forms |
//! | newline-delimited JSON | [`NdjsonTracker`] | the start of a line, and after white space there |
//! | known only at run time | [`Tracker`] | |
//!
//! Lines of a text heartbeat should end as those of the stream do: [`SseTracker::line_end`] and
//! [`NdjsonTracker::heartbeat_here`] say which bytes fit.
//!
//! A tracker also distinguishes events from heartbeats that another layer has inserted, except if the
//! heartbeat is the [empty message](HeartbeatMessage::empty). If the bytes violate the framing, the boundary
//! is unknown from then on, and no heartbeat may be inserted.
//!
//! # Cost
//!
//! [`cost`] computes the bytes on the wire: HTTP, TLS, TCP, IP and the acknowledgement.
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
//! // A gRPC server sends a flag, the length and the message.
//! let envelope = HeartbeatMessage::default().envelope();
//! assert_eq!(&envelope[..], b"\0\0\0\0\x13\x0a\x11gateway.heartbeat");
//!
//! // The client decodes the message, and skips it.
//! let event = GatewayEvent::decode(&envelope[5..])?;
//! assert!(event.is_heartbeat());
//!
//! // Heartbeats for text streams.
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
pub use framing::sse::{InvalidSse, LineEnd, SseHeartbeat};
pub use message::{HeartbeatMessage, PayloadTooLong};
pub use tracker::any::Tracker;
pub use tracker::envelope::EnvelopeTracker;
pub use tracker::grpc_web_text::GrpcWebTextTracker;
pub use tracker::ndjson::NdjsonTracker;
pub use tracker::sse::SseTracker;
pub use tracker::{Boundary, BoundaryTracker, Content};
