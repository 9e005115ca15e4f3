//! The `proxy` command, run as a process between real servers and clients, with real signals.
#![cfg(unix)]

mod bodies;
mod client;
mod command_line;
mod failures;
mod grpc;
mod headers;
mod passthrough;
mod pressure;
mod proxying;
mod raw_http2;
mod retries;
mod stopping;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod targets;
mod tls;
mod upgrades;
mod upstream;
