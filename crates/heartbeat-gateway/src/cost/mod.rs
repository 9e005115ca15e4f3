//! The `cost` command: the cost of heartbeats on the wire, by protocol and transport.

mod protocol;
mod report;

use std::time::Duration;

use clap::Args;

use crate::duration_arg;
use crate::rpc_message::RpcMessage;

pub use report::{CostReport, CostRow};

/// Flags of the `cost` command.
#[derive(Debug, Clone, Copy, Args)]
pub struct CostOptions {
    /// Send a heartbeat after this much silence; 0s sends none
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub interval: Duration,

    /// Number of streams, all of them silent
    #[arg(long, value_name = "COUNT", default_value = "1000000", allow_hyphen_values = true)]
    pub streams: u64,

    /// Heartbeat message of gRPC, gRPC-Web and Connect
    #[arg(long, value_name = "WHAT", default_value = "gateway")]
    pub message: RpcMessage,

    /// Count the headers of IPv6 instead of those of IPv4
    #[arg(long)]
    pub ipv6: bool,

    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,
}
