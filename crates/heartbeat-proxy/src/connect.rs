//! Opens connections to the upstream, up to a maximum number.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::rustls::ClientConfig;
use tower::timeout::Timeout;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt, service_fn};

use crate::defer_write_error::DeferWriteError;
use crate::incomplete_reset::IncompleteReset;
use crate::pooled_io::PooledIo;
use crate::transport::TCP_KEEPALIVE;

type UpstreamStream = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;
type UpstreamIo = PooledIo<DeferWriteError<TokioIo<IncompleteReset<UpstreamStream>>>>;
pub(crate) type Connector = BoxCloneSyncService<Uri, UpstreamIo, ConnectError>;

/// Why a connection was not opened.
#[derive(Debug)]
pub(crate) enum ConnectError {
    TooManyConnections,
    Failed(BoxError),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyConnections => "too many open connections",
            Self::Failed(_) => "opening a connection failed",
        })
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::TooManyConnections => None,
            Self::Failed(error) => Some(error.as_ref()),
        }
    }
}

/// Opens up to `max_connections` connections, including those that are being opened. `timeout` includes the TLS
/// handshake; zero disables it.
pub(crate) fn limited(
    tls: ClientConfig,
    http2: bool,
    timeout: Duration,
    max_connections: u32,
) -> Connector {
    let timeout = if timeout.is_zero() { Duration::MAX } else { timeout };
    let connector = Timeout::new(connector(tls, http2), timeout);
    let permits = Arc::new(Semaphore::new(max_connections as usize));
    BoxCloneSyncService::new(service_fn(move |upstream| {
        let permit = Arc::clone(&permits).try_acquire_owned();
        let connector = connector.clone();
        async move {
            let permit = permit.map_err(|_| ConnectError::TooManyConnections)?;
            let io = connector.oneshot(upstream).await.map_err(ConnectError::Failed)?;
            let io = IncompleteReset::new(TokioIo::new(io), http2);
            Ok(PooledIo::new(DeferWriteError::new(TokioIo::new(io)), permit))
        }
    }))
}

fn connector(tls: ClientConfig, http2: bool) -> HttpsConnector<HttpConnector> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    // No HTTP/2 PINGs: gRPC servers close connections whose clients send them on quiet streams.
    let (idle, interval, retries) = TCP_KEEPALIVE;
    tcp.set_keepalive(Some(idle));
    tcp.set_keepalive_interval(Some(interval));
    tcp.set_keepalive_retries(Some(retries));
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    if http2 {
        builder.enable_http2().wrap_connector(tcp)
    } else {
        builder.enable_http1().wrap_connector(tcp)
    }
}
