//! The `serve` command: the server until it is told to stop.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use heartbeat_async::{Config, Jitter};
use heartbeat_frame::GatewayEvent;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::feed::Feed;
use crate::flags;
use crate::front::{FrontError, FrontOptions, allow_files};
use crate::idle_proxy::{IdleCounts, IdleProxy};
use crate::metrics::{Health, MetricsServer};
use crate::running::{ServeError, Termination, announce};
use crate::runtime::Runtime;
use crate::server::{Gateway, Listener, Origin};

/// How many events a client may have missed and still resume.
const HELD_EVENTS: usize = 1000;

/// Below this interval heartbeats are traffic of their own.
const SHORT_INTERVAL: Duration = Duration::from_secs(1);

/// What can be set about the server.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50051")]
    pub listen: SocketAddr,

    /// What drives the server, from the accept to the heartbeat's timer; each serves the same
    #[arg(long, value_name = "RUNTIME", default_value = "tokio")]
    pub runtime: Runtime,

    /// Send a heartbeat after this much silence; 0s sends none
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = flags::time, allow_hyphen_values = true)]
    pub interval: Duration,

    /// Let each heartbeat come earlier by up to this fraction of the interval
    #[arg(long, value_name = "FRACTION", default_value = "0", value_parser = flags::jitter, allow_hyphen_values = true)]
    pub jitter: Jitter,

    /// Send no more heartbeats on a stream without a real event for this long; 0s never gives up
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = flags::time, allow_hyphen_values = true)]
    pub give_up_after: Duration,

    /// Publish a real event at the start and then each time this has passed; 0s only at the start.
    /// Who subscribes without an event's id begins with the latest one
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = flags::time, allow_hyphen_values = true)]
    pub event_every: Duration,

    /// Put a proxy in front, on a port of its own, that cuts what was idle for this long
    #[arg(long, value_name = "TIME", value_parser = flags::time, allow_hyphen_values = true)]
    pub idle_cut: Option<Duration>,

    /// What keeps a connection from being idle: HEADERS and DATA frames (as Envoy counts), or any
    /// byte of the server's (as nginx does)
    #[arg(long, value_name = "WHAT", default_value = "data", requires = "idle_cut")]
    pub idle_counts: IdleCounts,

    /// Show metrics to Prometheus on this address, as /metrics, and as /healthz whether it serves;
    /// port 0 takes any free one
    #[arg(long, value_name = "ADDR")]
    pub metrics: Option<SocketAddr>,

    /// How long streams may take to end when the server is stopped; to stop it once more cuts them off
    /// at once
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = flags::time, allow_hyphen_values = true)]
    pub shutdown_within: Duration,

    /// Let pages of this origin (`https://HOST:PORT`, or * for any) read what is served, by CORS; may
    /// be given more than once. Without it no page of another origin may
    #[arg(long, value_name = "ORIGIN")]
    pub cors_origin: Vec<Origin>,

    /// The front door: connections, TLS, limits.
    #[command(flatten)]
    pub front: FrontOptions,
}

/// Serves until Ctrl-C or SIGTERM, then ends all streams cleanly. Says on standard output where.
///
/// What stands around the server runs on the caller's tokio whatever drives the server: signals, the
/// idle-cutting proxy, the metrics, the publishing of events.
///
/// # Errors
///
/// If an address cannot be listened on, or there is no TLS by the files that were given.
pub async fn run(options: ServeOptions) -> Result<(), ServeError> {
    let termination = Termination::new().map_err(ServeError::Signals)?;
    allow_files(&options.front, 1);
    let listener = Listener::bind(options.runtime, options.listen, &options.front).await?;
    let address = listener.local_addr();
    let listen = |address| move |source| FrontError::Listen { address, source };
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
            let front = SocketAddr::new(address.ip(), 0);
            let bound = IdleProxy::bind(front, address, idle_cut, options.idle_counts).await;
            Some(bound.map_err(listen(front))?)
        }
        None => None,
    };

    announce(&format!("serving gRPC, gRPC-Web, Connect, SSE and NDJSON on {address}"));
    let scheme = if options.front.tls_cert.is_some() { "https" } else { "http" };
    for path in ["/events", "/events.ndjson"] {
        announce(&format!("try: curl -N {scheme}://{address}{path}"));
    }
    tracing::info!(runtime = options.runtime.name(), "serving");
    let observer = metrics.as_ref().map(MetricsServer::observer);
    let mut helpers = JoinSet::new();
    if let Some(metrics) = metrics {
        announce(&format!("metrics on http://{}/metrics", metrics.local_addr()));
        helpers.spawn(metrics.run());
    }
    if let Some(proxy) = proxy {
        announce(&format!("cutting what is idle on {}", proxy.local_addr()));
        helpers.spawn(proxy.run());
    }
    let feed = Feed::new(HELD_EVENTS);
    feed.publish(tick());
    if !options.event_every.is_zero() {
        helpers.spawn(publish(feed.clone(), options.event_every));
    }
    if !options.interval.is_zero() && options.interval < SHORT_INTERVAL {
        tracing::warn!(interval = ?options.interval, "so short an interval is for tests: 15s is usual");
    }

    let heartbeat = Config::every(options.interval)
        .with_jitter(options.jitter)
        .with_give_up_after(options.give_up_after);
    let gateway = Gateway::new(feed.clone(), heartbeat)
        .with_observer(observer)
        .limit(options.front.max_streams)
        .allow_origins(options.cors_origin);
    let stopping = || {
        health.stop();
        feed.close();
    };
    let serve = |shutdown| listener.serve(gateway, shutdown);
    termination.ends(serve, stopping, options.shutdown_within, "streams").await;
    Ok(())
}

/// Publishes real events for as long as it is polled.
async fn publish(feed: Feed, every: Duration) {
    loop {
        sleep(every).await;
        let number = feed.publish(tick());
        tracing::debug!(number, "published");
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
