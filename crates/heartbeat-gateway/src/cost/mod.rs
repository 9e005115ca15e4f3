//! The `cost` command: what heartbeats cost on the wire, by protocol and transport.

mod protocol;
mod report;

use std::time::Duration;

use clap::Args;

use crate::flags;
use crate::message::Message;

pub use report::{Report, Row};

/// What can be set about the count.
#[derive(Debug, Clone, Copy, Args)]
pub struct CostOptions {
    /// How long a stream is silent before a heartbeat; 0s sends none
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = flags::time, allow_hyphen_values = true)]
    pub interval: Duration,

    /// How many streams there are, each of them silent all the time
    #[arg(long, value_name = "COUNT", default_value = "1000000", allow_hyphen_values = true)]
    pub streams: u64,

    /// What a heartbeat of gRPC, gRPC-Web and Connect is
    #[arg(long, value_name = "WHAT", default_value = "gateway")]
    pub message: Message,

    /// Count the headers of IPv6 instead of those of IPv4
    #[arg(long)]
    pub ipv6: bool,

    /// Print one JSON object to standard output, and nothing else
    #[arg(long)]
    pub json: bool,
}
