//! The proxy until it is told to stop.

use heartbeat_tokio::{HeartbeatLayer, Hub};
use tokio::task::JoinSet;
use tower::Layer;

use super::access_log::AccessLog;
use super::connections::Connections;
use super::options::ProxyOptions;
use super::service::{Passage, Proxy, refuse};
use super::trust;
use crate::front::{Front, FrontError, StreamLimit, allow_files};
use crate::metrics::{self, Health, MetricsServer};
use crate::running::{ServeError, Termination, announce};

/// Proxies until Ctrl-C or SIGTERM, then lets the requests that are under way end. Says on standard
/// output where.
///
/// # Errors
///
/// If an address cannot be listened on, or there is no TLS by the files that were given.
///
/// # Panics
///
/// Outside a tokio runtime with I/O and time enabled.
pub async fn run(options: ProxyOptions) -> Result<(), ServeError> {
    let termination = Termination::new().map_err(ServeError::Signals)?;
    allow_files(&options.front, 2); // a connection to the upstream for each
    let front = Front::bind(options.listen, &options.front).await?;
    let health = Health::default();
    let metrics = match options.metrics {
        Some(address) => {
            let bound = MetricsServer::bind(address, health.clone()).await;
            Some(bound.map_err(|source| FrontError::Listen { address, source })?)
        }
        None => None,
    };
    let observer = metrics::audience(metrics.as_ref().map(MetricsServer::observer));

    let proxy = Proxy::new(passage(&options));
    let policy = options.heartbeats.policy(options.interval).with_observer(observer);
    let limit = StreamLimit::new(options.front.max_streams, refuse);
    let (hub, task) = Hub::new();
    tokio::spawn(task);
    let heartbeats = HeartbeatLayer::new(policy).on_hub(&hub);
    let service = AccessLog(heartbeats.layer(limit.layer(proxy)));

    let mut helpers = JoinSet::new();
    announce(&format!("proxying {} on {}", options.upstream, front.local_addr()));
    if let Some(metrics) = metrics {
        announce(&format!("metrics on http://{}/metrics", metrics.local_addr()));
        helpers.spawn(metrics.run());
    }
    let serve = |shutdown| front.serve(service, shutdown);
    termination.ends(serve, || health.stop(), options.shutdown_within, "requests").await;
    Ok(())
}

fn passage(options: &ProxyOptions) -> Passage {
    let upstream = &options.upstream_options;
    let tls = if options.upstream.is_tls() {
        trust::the_system_and(upstream.upstream_ca.as_ref())
    } else {
        trust::nobody()
    };
    Passage {
        upstream: options.upstream.clone(),
        connections: Connections::new(tls, upstream.upstream_http2, upstream.connect_timeout),
        http2: upstream.upstream_http2,
        own_host: upstream.own_host,
        drop_forwarded: upstream.drop_forwarded,
        response_timeout: upstream.response_timeout,
    }
}
