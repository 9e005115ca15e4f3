//! Keeps quiet HTTP responses alive, without touching a handler.
//!
//! A server answers with a stream, and for a minute there is nothing to tell: something on the way cuts
//! it. [`HeartbeatLayer`] is a tower layer, for axum, for tonic, and for whatever else serves HTTP
//! through tower. It looks at each response; what is a stream by its content type gets heartbeats in its
//! silences, each at a place where one message has ended and the next has not begun.
//!
//! | the response is | heartbeats | they are |
//! |---|---|---|
//! | `text/event-stream` | by default | a comment, which every client skips |
//! | `application/x-ndjson`, `application/ndjson`, `application/jsonl` | with [`HeartbeatPolicy::with_ndjson`] | a blank line, or a space |
//! | gRPC, gRPC-Web (binary and text), Connect | with [`HeartbeatPolicy::with_rpc`], for methods that are named | a message, which the client sees |
//! | anything else | never | |
//!
//! What passes untouched beyond that stands at [`HeartbeatLayer`].
//!
//! # When to use it
//!
//! When the handlers are many, or not yours, or what they return is no stream of messages but a body.
//! Where one handler returns one stream, the extension trait of an adapter is as good, and knows the
//! messages as such. Take the layer from the adapter of your runtime (`heartbeat-tokio` with the feature
//! `http`), which fills in the timer; from here, for a runtime that has none.
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
//!     response.body(StreamBody::new(events)) // nothing happens
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
//! # What a vanished peer costs
//!
//! A heartbeat is also how a server notices that nobody reads any more: a write to a closed connection
//! fails, and the body is dropped. A client that closes is noticed at the next heartbeat or the one after
//! it, also where a server is told not to mind the end of what the client sends (hyper's `half_close`).
//! One that vanishes without a word (no FIN, no RST: a cable, a battery) is noticed when TCP gives up
//! sending again, on Linux after some 15 minutes, unless `TCP_USER_TIMEOUT` says sooner. Without
//! heartbeats neither is noticed before the next event.

mod adapter;
mod body;
mod body_framing;
mod descriptor;
mod headers;
mod layer;
mod media;
mod pieces;
mod plan;
mod policy;
mod response_body;
mod rpc_heartbeat;
mod service;
mod streaming_methods;

pub use body::HeartbeatBody;
pub use body_framing::BodyFraming;
pub use descriptor::InvalidDescriptorSet;
pub use layer::HeartbeatLayer;
pub use policy::HeartbeatPolicy;
pub use response_body::ResponseBody;
pub use rpc_heartbeat::RpcHeartbeat;
pub use service::{HeartbeatService, ResponseFuture};
pub use streaming_methods::StreamingMethods;

pub use heartbeat_async::{Config, InvalidJitter, Jitter, NoObserver, Observer, Scheduler};
pub use heartbeat_frame::{
    HeartbeatMessage, InvalidSse, NdjsonHeartbeat, PayloadTooLong, SseHeartbeat,
};
