//! The `proxy` command: a reverse proxy that keeps quiet responses alive, for servers that are not in
//! Rust.
//!
//! The heartbeats are those of `HeartbeatLayer`. What is here passes requests on to an upstream and its
//! responses back, as a proxy has to: `service.rs` is the way of a request, and each other file has one
//! thing that happens on it.

mod access_log;
mod addressee;
mod connections;
mod failure;
mod forwarded;
mod framing;
mod heartbeats;
mod hop;
mod options;
mod read_on;
mod run;
mod service;
mod trust;
mod upgrade;
mod upload;
mod upstream;

pub use heartbeats::{Message, Ndjson};
pub use options::{HeartbeatOptions, ProxyOptions, UpstreamOptions};
pub use run::run;
pub use trust::Authorities;
pub use upstream::Upstream;
