//! The parts of the `heartbeat-gateway` command: a server whose quiet streams stay alive in every
//! protocol, a proxy that cuts idle connections, and a demonstration that puts one behind the other.
//!
//! The crate is there to be run. Its parts are public so that tests can put them together in other
//! ways; unlike the libraries' they may change in any release. In a server of your own use the
//! adapter of its runtime: `heartbeat-tokio`, `heartbeat-smol` or `heartbeat-async-std`.

mod causes;
mod cli;
pub mod cost;
pub mod demo;
pub mod feed;
mod flags;
pub mod front;
pub mod idle_proxy;
pub mod message;
pub mod metrics;
pub mod proto;
pub mod proxy;
pub mod running;
pub mod runtime;
pub mod serve;
pub mod server;
mod transport;

pub use cli::main;

/// The program that the README prints, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
