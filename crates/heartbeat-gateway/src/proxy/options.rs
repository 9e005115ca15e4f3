//! What can be set about the proxy.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use heartbeat_tokio::{Config, HeartbeatPolicy, Jitter, StreamingMethods};

use super::heartbeats::{self, Message, Ndjson};
use super::trust::Authorities;
use super::upstream::Upstream;
use crate::flags;
use crate::front::FrontOptions;

/// What can be set about the proxy.
#[derive(Debug, Clone, Args)]
pub struct ProxyOptions {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// The server behind the proxy, by http or https; a path in it goes before that of each request
    #[arg(long, value_name = "URL")]
    pub upstream: Upstream,

    /// Send a heartbeat after this much silence; 0s sends none
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = flags::time, allow_hyphen_values = true)]
    pub interval: Duration,

    /// Show metrics to Prometheus on this address, as /metrics, and as /healthz whether it serves;
    /// port 0 takes any free one
    #[arg(long, value_name = "ADDR")]
    pub metrics: Option<SocketAddr>,

    /// How long requests may take to end when the proxy is stopped; to stop it once more cuts them off
    /// at once
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = flags::time, allow_hyphen_values = true)]
    pub shutdown_within: Duration,

    /// What the heartbeats are.
    #[command(flatten)]
    pub heartbeats: HeartbeatOptions,

    /// How the upstream is spoken to.
    #[command(flatten)]
    pub upstream_options: UpstreamOptions,

    /// The front door: connections, TLS, limits.
    #[command(flatten)]
    pub front: FrontOptions,
}

/// What the heartbeats are. Server-sent events have a comment in any case.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Heartbeats")]
pub struct HeartbeatOptions {
    /// Let each heartbeat come earlier by up to this fraction of the interval
    #[arg(long, value_name = "FRACTION", default_value = "0", value_parser = flags::jitter, allow_hyphen_values = true)]
    pub jitter: Jitter,

    /// Send no more heartbeats on a stream without a real event for this long; 0s never gives up
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = flags::time, allow_hyphen_values = true)]
    pub give_up_after: Duration,

    /// Send heartbeats in newline-delimited JSON too
    #[arg(long, value_name = "HEARTBEAT")]
    pub ndjson: Option<Ndjson>,

    /// Send heartbeats in the responses of this method of gRPC, gRPC-Web or Connect, which has to be
    /// one that streams: /package.Service/Method. May be given several times
    #[arg(long, value_name = "PATH", group = "methods", value_parser = heartbeats::method)]
    pub method: Vec<String>,

    /// The same for all methods that stream, by a set of descriptors as protoc writes it
    #[arg(long, value_name = "FILE", group = "methods", value_parser = heartbeats::methods)]
    pub methods_in: Option<StreamingMethods>,

    /// The message that is a heartbeat there, which clients see: empty, which each can decode; gateway,
    /// the event of this command's own service; or any by its bytes, as hex:0a0b…
    #[arg(long, value_name = "MESSAGE", default_value = "empty", requires = "methods")]
    pub message: Message,
}

impl HeartbeatOptions {
    pub(super) fn policy(self, interval: Duration) -> HeartbeatPolicy {
        let config =
            Config::every(interval).with_jitter(self.jitter).with_give_up_after(self.give_up_after);
        let mut policy = HeartbeatPolicy::new(config);
        if let Some(ndjson) = self.ndjson {
            policy = policy.with_ndjson(ndjson.into());
        }
        let methods = self.methods_in.unwrap_or_else(|| StreamingMethods::paths(self.method));
        policy.with_rpc(methods, self.message)
    }
}

/// How the upstream is spoken to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Upstream")]
pub struct UpstreamOptions {
    /// Speak HTTP/2 with it, as gRPC wants: over TLS, or at once with http (h2c). Without this it is
    /// HTTP/1.1
    #[arg(long)]
    pub upstream_http2: bool,

    /// Trust these certificates too, besides those that the system trusts; PEM
    #[arg(long, value_name = "FILE", value_parser = Authorities::read)]
    pub upstream_ca: Option<Authorities>,

    /// Call it by its own name in Host, and not by what the client calls the proxy. With HTTP/2 that is
    /// always so
    #[arg(long)]
    pub own_host: bool,

    /// Drop whatever is called X-Forwarded-…, Forwarded or X-Real-IP as it comes: for a proxy whose
    /// clients are not to be believed, since no other proxy stands before it
    #[arg(long)]
    pub drop_forwarded: bool,

    /// How long a connection to it may take, TLS included; 0s for as long as it takes
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = flags::time, allow_hyphen_values = true)]
    pub connect_timeout: Duration,

    /// How long it may take to begin its response once the request has come, or the latest piece of
    /// one that comes slowly; 0s for as long as it takes. A request for server-sent events, by its
    /// Accept, may always take as long
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = flags::time, allow_hyphen_values = true)]
    pub response_timeout: Duration,
}
