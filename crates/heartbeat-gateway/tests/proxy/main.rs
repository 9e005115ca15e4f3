//! `proxy`, run as a user would run it: between real servers and real clients, stopped by real signals.
#![cfg(unix)]

mod bodies;
mod client;
mod command_line;
mod failures;
mod grpc;
mod headers;
mod pressure;
mod proxying;
mod stopping;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod upgrades;
mod upstream;
