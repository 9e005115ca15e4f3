//! The parts of the `heartbeat-gateway` command: a server that streams events in several protocols, a proxy that cuts
//! idle connections, and a demo that puts the proxy in front of the server.
//!
//! The crate is a command. Its parts are public for tests, and can change in any release. In your own server use the
//! adapter for its runtime: `heartbeat-tokio`, `heartbeat-smol` or `heartbeat-async-std`. The reverse proxy is the
//! library `heartbeat-proxy`.

mod address_arg;
mod cli;
mod connection_args;
pub mod cost;
pub mod demo;
mod duration_arg;
pub mod event_log;
mod fd_limit;
pub mod idle_proxy;
mod log;
pub mod metrics;
pub mod proxy;
pub mod rpc_message;
pub mod runtime;
pub mod serve;
pub mod server;
pub mod shutdown;

pub use cli::main;
pub use connection_args::ConnectionArgs;

/// The program in the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
