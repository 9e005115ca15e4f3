//! The `proxy` command: the reverse proxy of `heartbeat-proxy` with a command line, metrics and signal handling.

mod args;
mod options;
mod run;

pub use args::{NdjsonArg, RpcMessageArg};
pub use options::{HeartbeatOptions, ProxyOptions, UpstreamOptions};
pub use run::run;
