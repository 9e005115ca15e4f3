//! A TCP proxy that cuts idle connections, as many proxies and load balancers do.
//!
//! [`IdleProxy`] forwards all bytes unchanged, and drops a connection without activity. [`ActivityRule`] defines activity,
//! since real proxies differ in it. [`ProxyStats`] has the counters.

mod connection;
mod proxy;
mod stats;
mod traffic;

pub use proxy::IdleProxy;
pub use stats::ProxyStats;
pub use traffic::ActivityRule;
