//! A reverse proxy that adds heartbeats to quiet streaming responses, as a library.
//!
//! # When to use it
//!
//! When a server streams events, proxies or clients cut its quiet streams, and the server itself cannot be changed or
//! is not written in Rust. [`Proxy`] forwards requests to it, and adds heartbeats to its quiet responses: server-sent
//! events by default, NDJSON, gRPC, gRPC-Web and Connect by a [`HeartbeatPolicy`]. A server in Rust needs no proxy:
//! there `heartbeat_tokio::HeartbeatLayer` does it.
//!
//! The command `heartbeat-gateway proxy` is this crate with a command line, metrics and signal handling.
//!
//! # Example
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use heartbeat_proxy::Proxy;
//! use heartbeat_proxy::http_server::{HttpServer, ServerOptions};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let proxy = Proxy::builder("http://127.0.0.1:3000".parse()?)
//!     .heartbeats(Duration::from_secs(15))
//!     .build();
//! let server = HttpServer::bind(([127, 0, 0, 1], 8080).into(), &ServerOptions::new()).await?;
//! server.serve(proxy, std::future::pending()).await;
//! # Ok(())
//! # }
//! ```
//!
//! [`Proxy`] is a tower service. In an axum application it can be the fallback: `router.fallback_service(proxy)`.
//! `examples/embedded-proxy` in the repository does that.
//!
//! # What the proxy does to a request
//!
//! It forwards method, path, headers, body and trailers as they are, with these exceptions:
//!
//! - Hop-by-hop headers are removed. `TE: trailers` is kept.
//! - `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host` and `Via` are added if the request carries a
//!   [`Peer`](http_server::Peer).
//! - `Accept-Encoding` is removed: no heartbeat fits into compressed data.
//! - CONNECT, ambiguous targets and transfer codings other than `chunked` are rejected.
//! - WebSocket and other upgrades of HTTP/1.1 pass, except an upgrade to `h2c`.
//!
//! If the upstream does not respond, the client gets status 502 or 504, and a gRPC client gets `UNAVAILABLE`.
//!
//! # Logging
//!
//! Each request is logged once its response has ended, at the level INFO of the crate `tracing`. Failures of the
//! upstream are logged at WARN.

mod access_log;
mod bodies;
mod builder;
mod connect;
mod connections;
mod defer_write_error;
mod error;
mod error_chain;
mod forward;
mod forwarded;
mod hop_by_hop;
pub mod http_server;
mod incomplete_reset;
mod log_duration;
mod pooled_io;
mod progress;
mod proxy;
mod response_head_limit;
mod retry;
mod target;
mod tls;
mod transfer_encoding;
mod transport;
mod upgrade;
mod upstream;

pub use access_log::ProxyBody;
pub use builder::ProxyBuilder;
pub use proxy::{Proxy, ProxyFuture};
pub use tls::{ExtraRoots, InvalidRoots};
pub use upstream::{InvalidUpstream, Upstream};

pub use heartbeat_http::HeartbeatPolicy;
