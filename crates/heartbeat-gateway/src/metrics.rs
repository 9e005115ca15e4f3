//! The pages of `--metrics`: metrics for Prometheus, and the state of the server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use heartbeat_async::{NoObserver, Observer};
use heartbeat_otel::OtelObserver;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Encoder, Registry, TextEncoder};
use tokio::net::TcpListener;

use crate::log;

/// The instrumentation scope, and the name of the service.
const NAME: &str = env!("CARGO_PKG_NAME");

/// The state of the server that `/healthz` reports. Clones share the state.
#[derive(Debug, Clone, Default)]
pub struct Health {
    stopping: Arc<AtomicBool>,
}

impl Health {
    /// Reports from now on that the server is shutting down, so that load balancers send no further requests.
    pub fn stop(&self) {
        self.stopping.store(true, Relaxed);
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }
}

/// An observer that may be disabled.
pub(crate) fn shared_observer(observer: Option<OtelObserver>) -> Arc<dyn Observer + Send + Sync> {
    match observer {
        Some(observer) => Arc::new(observer),
        None => Arc::new(NoObserver),
    }
}

/// An HTTP server for monitoring, on its own address.
///
/// `/metrics` has the metrics of its [observers](Self::observer) in the Prometheus text format. `/healthz` responds with 200
/// while the main server runs and with 503 once it [shuts down](Health::stop). There is no access control.
#[derive(Debug)]
#[must_use = "the server does nothing until it runs"]
pub struct MetricsServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    pages: Pages,
}

/// The data of the pages.
#[derive(Debug, Clone)]
struct Pages {
    health: Health,
    registry: Registry,
    /// Keeps the registry's source alive.
    provider: SdkMeterProvider,
}

impl MetricsServer {
    /// Listens on `address`; port 0 chooses a free port.
    ///
    /// # Errors
    ///
    /// If listening fails.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O enabled.
    pub async fn bind(address: SocketAddr, health: Health) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let local_addr = listener.local_addr()?;
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false) // there is only one scope
            .build()
            .map_err(io::Error::other)?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let service = Resource::builder().with_service_name(NAME).with_attribute(version);
        let provider = SdkMeterProvider::builder()
            .with_reader(exporter)
            .with_resource(service.build())
            .build();
        let meter = provider.meter(NAME);
        let dropped = meter.u64_observable_counter("heartbeat.log.dropped").with_unit("{line}");
        let dropped =
            dropped.with_description("Log lines that were dropped or could not be written");
        dropped.with_callback(|counter| counter.observe(log::dropped_lines(), &[])).build();
        Ok(Self { listener, local_addr, pages: Pages { health, registry, provider } })
    }

    /// The address of the server, including the chosen port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Creates an observer whose metrics are on the page. Clone it for each stream.
    #[must_use]
    pub fn observer(&self) -> OtelObserver {
        OtelObserver::new(&self.pages.provider.meter(NAME))
    }

    /// Adds a counter to the page: requests that were rejected because of `--max-upstream-connections`. `count` returns
    /// their number.
    pub(crate) fn count_connection_rejections(
        &self,
        count: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let meter = self.pages.provider.meter(NAME);
        meter
            .u64_observable_counter("heartbeat.proxy.connection_rejections")
            .with_unit("{request}")
            .with_description("Requests that were rejected because of --max-upstream-connections")
            .with_callback(move |counter| counter.observe(count(), &[]))
            .build();
    }

    /// Serves the pages. The future never completes. A failed accept is retried.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the listener.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub async fn run(self) {
        let pages = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(healthz))
            .with_state(self.pages);
        let _ = axum::serve(self.listener, pages).await; // it never returns an error
    }
}

async fn metrics(State(pages): State<Pages>) -> Result<impl IntoResponse, StatusCode> {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    encoder.encode(&pages.registry.gather(), &mut text).map_err(|error| {
        tracing::warn!(%error, "cannot encode the metrics");
        StatusCode::INTERNAL_SERVER_ERROR
    })?;
    Ok(([(CONTENT_TYPE, encoder.format_type().to_owned())], text))
}

async fn healthz(State(pages): State<Pages>) -> (StatusCode, &'static str) {
    if pages.health.is_stopping() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}
