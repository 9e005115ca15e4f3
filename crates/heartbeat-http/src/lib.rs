//! Adds heartbeats to quiet streaming HTTP responses, without a change to any handler.
//!
//! Proxies, load balancers and clients close a streaming response that is silent for too long. [`HeartbeatLayer`] is a tower
//! layer for axum, tonic and every other HTTP server on tower. A response that is a stream by its content type gets a
//! heartbeat whenever it has been silent for an interval, between two messages and never inside one.
//!
//! | content type of the response | heartbeats | which |
//! |---|---|---|
//! | `text/event-stream` | by default | a comment, which every client skips |
//! | newline-delimited JSON, by the content types that [`HeartbeatPolicy::with_ndjson`] lists | with [`HeartbeatPolicy::with_ndjson`] | a blank line, or a space |
//! | gRPC, gRPC-Web (binary and text), Connect | with [`HeartbeatPolicy::with_rpc`], for the methods that it names | a message, which the client sees |
//! | other content types | never | |
//!
//! All other responses pass through unchanged: [`PassthroughReason`] lists why.
//!
//! # When to use it
//!
//! Use the layer for many handlers, for handlers that you cannot change, and for handlers that return a body rather than a
//! stream of messages. For a single handler that returns a stream, use the extension trait of an adapter instead. The
//! adapter of your runtime (for example `heartbeat-tokio` with the feature `http`) exports the layer with its timer. Use
//! this crate directly for a runtime without an adapter.
//!
//! # Example
//!
//! ```
//! use std::convert::Infallible;
//! use std::time::Duration;
//!
//! use bytes::Bytes;
//! use heartbeat_async::virtual_time::VirtualTime;
//! use heartbeat_http::HeartbeatLayer;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, StreamBody};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # type Frames = futures_util::stream::Pending<Result<http_body::Frame<Bytes>, Infallible>>;
//! let handler = service_fn(|_: Request<()>| async {
//!     # let events: Frames = futures_util::stream::pending();
//!     let response = Response::builder().header("content-type", "text/event-stream");
//!     response.body(StreamBody::new(events)) // no event comes
//! });
//!
//! let time = VirtualTime::new(); // on tokio: `HeartbeatLayer::new(Duration::from_secs(15))`
//! let service = HeartbeatLayer::with_scheduler(time.clone(), Duration::from_secs(15)).layer(handler);
//! time.block_on(async {
//!     let mut response = service.oneshot(Request::new(())).await?;
//!     assert_eq!(response.headers()["x-accel-buffering"], "no");
//!     let frame = response.body_mut().frame().await.expect("no end").expect("no error");
//!     assert_eq!(frame.into_data().expect("data"), ":\n"); // after 15 s
//! #   Ok(())
//! })
//! # .map_err(|error: http::Error| error)?;
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # Features
//!
//! None is enabled by default.
//!
//! - `tracing`: an event of the crate `tracing` at DEBUG, with the target `heartbeat`, for each response that
//!   passes through, with the reason.
//!
//! # Disconnected clients
//!
//! With heartbeats a server also detects that its client has disconnected: a write to a closed connection fails, and the
//! body is dropped. A client that has closed the connection is detected at the next heartbeat or the one after it, even
//! with hyper's `half_close`. A client that disappears without FIN or RST is detected when TCP stops retransmitting: on
//! Linux after about 15 minutes, or after `TCP_USER_TIMEOUT`. Without heartbeats neither is detected before the next event.

mod adapter;
mod body;
mod body_framing;
mod decision;
mod descriptor;
mod exact_bytes;
mod headers;
mod layer;
mod passthrough;
mod policy;
mod response_body;
mod rpc_heartbeat;
mod service;
mod stream_format;
mod streaming_methods;

pub use body::HeartbeatBody;
pub use body_framing::BodyFraming;
pub use descriptor::InvalidDescriptorSet;
pub use layer::HeartbeatLayer;
pub use passthrough::PassthroughReason;
pub use policy::HeartbeatPolicy;
pub use response_body::ResponseBody;
pub use rpc_heartbeat::RpcHeartbeat;
pub use service::{HeartbeatService, ResponseFuture};
pub use streaming_methods::StreamingMethods;

pub use heartbeat_async::{
    Config, InvalidJitter, Jitter, NoObserver, Observed, Observer, Scheduler, Telemetry,
};
pub use heartbeat_frame::{
    HeartbeatMessage, InvalidSse, NdjsonHeartbeat, PayloadTooLong, SseHeartbeat,
};
