//! A TCP proxy that cuts idle connections, as the proxies in front of a gRPC service do: the
//! obstacle that heartbeats are there to overcome.
//!
//! [`IdleProxy`] stands between a client and a server, passes every byte on unchanged, and drops a
//! connection on which nothing counted for a while. [`IdleCounts`] says what counts, since real
//! proxies differ in it; [`ProxyStats`] tells what went through.

mod connection;
mod proxy;
mod stats;
mod traffic;

pub use proxy::IdleProxy;
pub use stats::ProxyStats;
pub use traffic::IdleCounts;
