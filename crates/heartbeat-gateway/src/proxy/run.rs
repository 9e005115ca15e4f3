use heartbeat_proxy::Proxy;
use heartbeat_proxy::http_server::{HttpServer, ServerError};
use tokio::task::JoinSet;

use super::options::ProxyOptions;
use crate::fd_limit::raise_fd_limit;
use crate::metrics::{Health, MetricsServer};
use crate::shutdown::{ServeError, ShutdownSignals, print_line};

/// Runs the proxy until Ctrl-C or SIGTERM, then drains its open requests. Prints its address to standard output.
///
/// # Errors
///
/// If listening on an address fails or the TLS files cannot be used.
///
/// # Panics
///
/// Outside a tokio runtime with I/O and time enabled.
pub async fn run(options: ProxyOptions) -> Result<(), ServeError> {
    let signals = ShutdownSignals::new().map_err(ServeError::Signals)?;
    raise_fd_limit(&options.connections, 2); // one socket to the client, one to the upstream
    let server = HttpServer::bind(options.listen, &options.connections.server_options()).await?;
    let health = Health::default();
    let metrics = match options.metrics {
        Some(address) => {
            let bound = MetricsServer::bind(address, health.clone()).await;
            Some(bound.map_err(|source| ServerError::Listen { address, source })?)
        }
        None => None,
    };

    print_line(&format!("proxying {} on {}", options.upstream, server.local_addr()));
    let mut proxy = Proxy::builder(options.upstream)
        .heartbeats(options.heartbeats.policy(options.interval))
        .max_streams(options.connections.max_streams)
        .via(env!("CARGO_PKG_NAME"));
    if let Some(metrics) = &metrics {
        proxy = proxy.observer(metrics.observer());
    }
    let proxy = options.upstream_options.apply(proxy).build();
    let mut helpers = JoinSet::new();
    if let Some(metrics) = metrics {
        let counted = proxy.clone();
        metrics.count_connection_rejections(move || counted.connection_rejections());
        print_line(&format!("metrics on http://{}/metrics", metrics.local_addr()));
        helpers.spawn(metrics.run());
    }
    let serve = |shutdown| server.serve(proxy, shutdown);
    let grace = options.shutdown_within;
    signals.serve_until_signal(serve, || health.stop(), grace, "requests").await;
    Ok(())
}
