//! The pages of `serve --metrics`: what the streams do, for Prometheus, and whether the server serves.

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
use heartbeat_async::Observer;
use heartbeat_otel::OtelObserver;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Encoder, Registry, TextEncoder};
use tokio::net::TcpListener;

/// The instrumentation scope, and the name of the service.
const NAME: &str = env!("CARGO_PKG_NAME");

/// Whether the server serves, which `/healthz` tells. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Health {
    stopping: Arc<AtomicBool>,
}

impl Health {
    /// Says from now on that the server stops: whoever balances load should send nobody here.
    pub fn stop(&self) {
        self.stopping.store(true, Relaxed);
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }
}

/// Who hears of the streams: that observer, or nobody.
pub(crate) fn audience(observer: Option<OtelObserver>) -> Arc<dyn Observer + Send + Sync> {
    struct Nobody;

    impl Observer for Nobody {
        fn is_enabled(&self) -> bool {
            false
        }
    }

    match observer {
        Some(observer) => Arc::new(observer),
        None => Arc::new(Nobody),
    }
}

/// An HTTP server for whoever watches over the other one, on an address of its own.
///
/// `/metrics` has what its [observers](Self::observer) have heard, in the Prometheus text format;
/// `/healthz` answers 200 while the server serves and 503 once it [stops](Health::stop). There is
/// nothing else, and no access control.
#[derive(Debug)]
#[must_use = "nobody is answered until it is run"]
pub struct MetricsServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    pages: Pages,
}

/// What the pages are made of.
#[derive(Debug, Clone)]
struct Pages {
    health: Health,
    registry: Registry,
    /// The registry reads from it only while it is there.
    provider: SdkMeterProvider,
}

impl MetricsServer {
    /// Listens on `address`, where port 0 stands for any free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
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
            .scope_info_enabled(false) // there is but one scope
            .build()
            .map_err(io::Error::other)?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let service = Resource::builder().with_service_name(NAME).with_attribute(version);
        let provider = SdkMeterProvider::builder()
            .with_reader(exporter)
            .with_resource(service.build())
            .build();
        Ok(Self { listener, local_addr, pages: Pages { health, registry, provider } })
    }

    /// Where it listens, with the port that was chosen.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Makes the observer of the streams that are shown. Clone it for each of them.
    #[must_use]
    pub fn observer(&self) -> OtelObserver {
        OtelObserver::new(&self.pages.provider.meter(NAME))
    }

    /// Answers whoever asks, and never ends by itself. An accept that fails is tried again.
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
        let _ = axum::serve(self.listener, pages).await; // it has no error to tell
    }
}

async fn metrics(State(pages): State<Pages>) -> Result<impl IntoResponse, StatusCode> {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    encoder.encode(&pages.registry.gather(), &mut text).map_err(|error| {
        tracing::warn!(%error, "the metrics cannot be written");
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
