//! The flags of the `proxy` command.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{ArgGroup, Args};
use heartbeat_proxy::{ExtraRoots, ProxyBuilder, Upstream};
use heartbeat_tokio::{Config, HeartbeatPolicy, Jitter, StreamingMethods};

use super::args::{self, NdjsonArg, RpcMessageArg};
use crate::{ConnectionArgs, address_arg, duration_arg};

/// Flags of the `proxy` command.
#[derive(Debug, Clone, Args)]
pub struct ProxyOptions {
    /// Listen on this address; port 0 chooses a free port
    ///
    /// HOST:PORT, or a port alone, which is a port of 127.0.0.1. 0.0.0.0:PORT accepts other hosts.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = address_arg::parse_address)]
    pub listen: SocketAddr,

    /// Forward requests to this upstream, an http or https URL
    ///
    /// A path in the URL is put before the path of each request.
    #[arg(long, value_name = "URL")]
    pub upstream: Upstream,

    /// Send a heartbeat after this much silence; 0s sends none
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub interval: Duration,

    /// Serve Prometheus metrics on this address
    ///
    /// /metrics has the metrics, /healthz the state of the server. ADDR is as in --listen.
    #[arg(long, value_name = "ADDR", value_parser = address_arg::parse_address)]
    pub metrics: Option<SocketAddr>,

    /// Shutdown grace period for open requests
    ///
    /// A second signal closes them immediately.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub shutdown_within: Duration,

    /// Flags for the heartbeats.
    #[command(flatten)]
    pub heartbeats: HeartbeatOptions,

    /// Flags for the connections to the upstream.
    #[command(flatten)]
    pub upstream_options: UpstreamOptions,

    /// Flags for the connections from clients.
    #[command(flatten)]
    pub connections: ConnectionArgs,
}

/// Flags for the heartbeats. Server-sent events always get a comment.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Heartbeats", group = ArgGroup::new("methods").multiple(true))]
pub struct HeartbeatOptions {
    /// Send each heartbeat earlier by up to this fraction of the interval
    #[arg(long, value_name = "FRACTION", default_value = "0", value_parser = duration_arg::parse_jitter, allow_hyphen_values = true)]
    pub jitter: Jitter,

    /// Stop heartbeats on a stream without events for this long; 0s never stops
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub give_up_after: Duration,

    /// Send heartbeats in newline-delimited JSON
    ///
    /// With `space`, most line readers fail if the stream ends right after a heartbeat. Readers that
    /// parse the stream as JSON, like jq, accept both forms. See docs/parsers.md for a list of readers.
    #[arg(long, value_name = "HEARTBEAT")]
    pub ndjson: Option<NdjsonArg>,

    /// Send heartbeats in responses of this streaming method (repeatable)
    ///
    /// A method of gRPC, gRPC-Web or Connect: /package.Service/Method. Its clients must not take each
    /// message for an answer, as clients of gRPC health checks and server reflection do.
    #[arg(long, value_name = "PATH", group = "methods", value_parser = args::parse_method)]
    pub method: Vec<String>,

    /// Send heartbeats in responses of the server-streaming methods in this file
    ///
    /// A file descriptor set, as `protoc --descriptor_set_out` writes it. Methods whose requests stream
    /// are left out, as are those of grpc.health.* and grpc.reflection.*. `--method` adds methods.
    #[arg(long, value_name = "FILE", group = "methods", value_parser = args::read_methods)]
    pub methods_in: Option<StreamingMethods>,

    /// Send this message as heartbeat of the methods: empty, gateway or hex:0a0b…
    ///
    /// The client sees the message. Every client can decode the empty message. gateway is an event of
    /// this command's own service. hex: gives the bytes of any message.
    #[arg(long, value_name = "MESSAGE", default_value = "empty", requires = "methods")]
    pub message: RpcMessageArg,
}

impl HeartbeatOptions {
    pub(super) fn policy(self, interval: Duration) -> HeartbeatPolicy {
        let config =
            Config::every(interval).with_jitter(self.jitter).with_give_up_after(self.give_up_after);
        let mut policy = HeartbeatPolicy::new(config);
        if let Some(ndjson) = self.ndjson {
            policy = policy.with_ndjson(ndjson.into());
        }
        let methods = match self.methods_in {
            Some(methods) => methods.with_paths(self.method),
            None => StreamingMethods::paths(self.method),
        };
        policy.with_rpc(methods, self.message)
    }
}

/// Flags for the connections to the upstream.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Upstream")]
pub struct UpstreamOptions {
    /// Use HTTP/2 to the upstream, as gRPC requires
    ///
    /// Over TLS for an https URL, with prior knowledge (h2c) for an http URL. Default: HTTP/1.1.
    #[arg(long)]
    pub upstream_http2: bool,

    /// Trust these root certificates too (PEM)
    ///
    /// The root certificates of the system are trusted in any case.
    #[arg(long, value_name = "FILE", value_parser = |path: &str| ExtraRoots::from_pem_file(path))]
    pub upstream_ca: Option<ExtraRoots>,

    /// Send the upstream's own name in Host instead of the client's value
    ///
    /// Over HTTP/2 the upstream always gets its own name.
    #[arg(long)]
    pub own_host: bool,

    /// Remove X-Forwarded-*, Forwarded and X-Real-IP from requests
    ///
    /// For a proxy without another proxy in front of it: its clients can put anything into these headers.
    #[arg(long)]
    pub drop_forwarded: bool,

    /// Limit the number of connections to the upstream
    ///
    /// Connections that are being opened count, as do idle and upgraded ones. A request that needs a further
    /// one is rejected with status 503 or `RESOURCE_EXHAUSTED`.
    #[arg(long, value_name = "COUNT", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_upstream_connections: u32,

    /// Limit the time to connect to the upstream, TLS included; 0s disables
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub connect_timeout: Duration,

    /// Limit the time from a request to the head of its response; 0s disables
    ///
    /// The time starts at the latest part of the request body. It does not apply to requests that may ask
    /// for a stream: those whose Accept contains text/event-stream, those with a JSON body (Content-Type:
    /// application/json), and the methods of --method and --methods-in.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub response_timeout: Duration,
}

impl UpstreamOptions {
    pub(super) fn apply(self, proxy: ProxyBuilder) -> ProxyBuilder {
        let proxy = proxy
            .upstream_http2(self.upstream_http2)
            .upstream_host(self.own_host)
            .drop_forwarded(self.drop_forwarded)
            .max_upstream_connections(self.max_upstream_connections)
            .connect_timeout(self.connect_timeout)
            .response_timeout(self.response_timeout);
        match self.upstream_ca {
            Some(roots) => proxy.upstream_roots(roots),
            None => proxy,
        }
    }
}
