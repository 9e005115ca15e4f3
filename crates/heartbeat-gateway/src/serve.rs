//! The `serve` command.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use heartbeat_async::{Config, Jitter};
use heartbeat_frame::GatewayEvent;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::event_log::EventLog;
use crate::fd_limit::raise_fd_limit;
use crate::idle_proxy::{ActivityRule, IdleProxy};
use crate::metrics::{Health, MetricsServer};
use crate::runtime::RuntimeKind;
use crate::server::{Gateway, Listener, Origin, ServerError};
use crate::shutdown::{ServeError, ShutdownSignals, print_line};
use crate::{ConnectionArgs, address_arg, duration_arg};

/// Number of events in the log: a client that has missed no more can resume.
const LOG_CAPACITY: usize = 1000;

/// Shorter intervals cause a warning.
const SHORT_INTERVAL: Duration = Duration::from_secs(1);

/// Flags of the `serve` command.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// Listen on this address; port 0 chooses a free port
    ///
    /// HOST:PORT, or a port alone, which is a port of 127.0.0.1. 0.0.0.0:PORT accepts other hosts.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50051", value_parser = address_arg::parse_address)]
    pub listen: SocketAddr,

    /// Run the server on this runtime
    ///
    /// The server behaves alike on all of them.
    #[arg(long, value_name = "RUNTIME", default_value = "tokio")]
    pub runtime: RuntimeKind,

    /// Send a heartbeat after this much silence; 0s sends none
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub interval: Duration,

    /// Send each heartbeat earlier by up to this fraction of the interval
    #[arg(long, value_name = "FRACTION", default_value = "0", value_parser = duration_arg::parse_jitter, allow_hyphen_values = true)]
    pub jitter: Jitter,

    /// Stop heartbeats on a stream without events for this long; 0s never stops
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub give_up_after: Duration,

    /// Publish an event at this interval; 0s publishes one at the start only
    ///
    /// A client that subscribes without an event id starts with the latest event.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub event_every: Duration,

    /// Add a proxy on another port that cuts connections idle for this long
    #[arg(long, value_name = "TIME", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub idle_cut: Option<Duration>,

    /// Count this traffic as activity for --idle-cut
    #[arg(long, value_name = "WHAT", default_value = "data", requires = "idle_cut")]
    pub idle_counts: ActivityRule,

    /// Serve Prometheus metrics on this address
    ///
    /// /metrics has the metrics, /healthz the state of the server. ADDR is as in --listen.
    #[arg(long, value_name = "ADDR", value_parser = address_arg::parse_address)]
    pub metrics: Option<SocketAddr>,

    /// Shutdown grace period for open streams
    ///
    /// A second signal closes them immediately.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub shutdown_within: Duration,

    /// Allow browser pages of this origin by CORS, or * for any (repeatable)
    ///
    /// An origin is https://HOST:PORT. By default pages of other origins cannot read responses.
    #[arg(long, value_name = "ORIGIN")]
    pub cors_origin: Vec<Origin>,

    /// Flags for the connections from clients.
    #[command(flatten)]
    pub connections: ConnectionArgs,
}

/// Serves until Ctrl-C or SIGTERM, then ends all streams with a success status. Prints its address to standard output.
///
/// Signals, the idle-cutting proxy, metrics and the publisher of events run on the caller's tokio runtime, whichever runtime
/// drives the server.
///
/// # Errors
///
/// If listening on an address fails or the TLS files cannot be used.
pub async fn run(options: ServeOptions) -> Result<(), ServeError> {
    let signals = ShutdownSignals::new().map_err(ServeError::Signals)?;
    raise_fd_limit(&options.connections, 1);
    let server_options = options.connections.server_options();
    let listener = Listener::bind(options.runtime, options.listen, &server_options).await?;
    let address = listener.local_addr();
    let listen = |address| move |source| ServerError::Listen { address, source };
    let health = Health::default();
    let metrics = match options.metrics {
        Some(address) => {
            let bound = MetricsServer::bind(address, health.clone()).await;
            Some(bound.map_err(listen(address))?)
        }
        None => None,
    };
    let proxy = match options.idle_cut {
        Some(idle_cut) => {
            let any_port = SocketAddr::new(address.ip(), 0);
            let bound = IdleProxy::bind(any_port, address, idle_cut, options.idle_counts).await;
            Some(bound.map_err(listen(any_port))?)
        }
        None => None,
    };

    print_line(&format!("serving gRPC, gRPC-Web, Connect, SSE and NDJSON on {address}"));
    let scheme = if options.connections.tls_cert.is_some() { "https" } else { "http" };
    for path in ["/events", "/events.ndjson"] {
        print_line(&format!("try: curl -N {scheme}://{address}{path}"));
    }
    tracing::info!(runtime = options.runtime.name(), "serving");
    let observer = metrics.as_ref().map(MetricsServer::observer);
    let mut helpers = JoinSet::new();
    if let Some(metrics) = metrics {
        print_line(&format!("metrics on http://{}/metrics", metrics.local_addr()));
        helpers.spawn(metrics.run());
    }
    if let Some(proxy) = proxy {
        print_line(&format!("cutting idle connections on {}", proxy.local_addr()));
        helpers.spawn(proxy.run());
    }
    let log = EventLog::new(LOG_CAPACITY);
    log.publish(tick());
    if !options.event_every.is_zero() {
        helpers.spawn(publish(log.clone(), options.event_every));
    }
    if !options.interval.is_zero() && options.interval < SHORT_INTERVAL {
        tracing::warn!(interval = ?options.interval, "very short interval: 15s is usual");
    }

    let heartbeat = Config::every(options.interval)
        .with_jitter(options.jitter)
        .with_give_up_after(options.give_up_after);
    let gateway = Gateway::new(log.clone(), heartbeat)
        .with_observer(observer)
        .with_max_streams(options.connections.max_streams)
        .with_cors_origins(options.cors_origin);
    let stopping = || {
        health.stop();
        log.close();
    };
    let serve = |shutdown| listener.serve(gateway, shutdown);
    signals.serve_until_signal(serve, stopping, options.shutdown_within, "streams").await;
    Ok(())
}

/// Publishes an event at each interval.
async fn publish(log: EventLog, interval: Duration) {
    loop {
        sleep(interval).await;
        let number = log.publish(tick());
        tracing::debug!(number, "published an event");
    }
}

fn tick() -> GatewayEvent {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    GatewayEvent {
        event_type: "gateway.tick".to_owned(),
        timestamp_ms: i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX),
        ..GatewayEvent::default()
    }
}
