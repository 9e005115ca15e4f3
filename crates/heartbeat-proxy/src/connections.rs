//! A pool of connections to the upstream.

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::rustls::ClientConfig;
use tower::timeout::Timeout;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt};

use crate::bodies::{RequestBody, UpstreamBody};
use crate::defer_write_error::DeferWriteError;
use crate::error_chain::chain;
use crate::http_server::GuardedBody;
use crate::incomplete_reset::IncompleteReset;
use crate::progress::ProgressBody;
use crate::transport::{CONNECTION_WINDOW, MAX_UNREAD_BODIES, STREAM_WINDOW, TCP_KEEPALIVE};

/// Maximum number of open requests per client, which has one HTTP/2 connection. RFC 9113 recommends that servers allow at
/// least 100 streams per connection. A further request would wait for a stream to end, which can take for ever.
const STREAMS_PER_CONNECTION: u32 = 100;
const _: () =
    assert!(STREAMS_PER_CONNECTION <= MAX_UNREAD_BODIES, "unread bodies must not block others");

/// Time that an idle connection stays in the pool. Servers close idle connections after 2 s (gunicorn), 5 s (Node,
/// uvicorn) or later; a request on a connection that the server is closing fails.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// Maximum size of a response head, and the read buffer of an HTTP/1.1 connection, in bytes. The buffer bounds the memory
/// for an unread response.
const BUFFER_SIZE: u32 = 64 * 1024;

/// Maximum number of header lines of a response: so many that the size limit decides.
const MAX_HEADER_LINES: usize = 1000;

type UpstreamStream = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;
type UpstreamIo = DeferWriteError<TokioIo<IncompleteReset<UpstreamStream>>>;
type Connector = BoxCloneSyncService<Uri, UpstreamIo, BoxError>;
type HttpClient = Client<Connector, ProgressBody<RequestBody>>;

/// Connections to the upstream. They are opened on demand, and closed after a short idle time.
pub(crate) struct Connections {
    builder: legacy::Builder,
    connector: Connector,
    clients: Mutex<Vec<PooledClient>>,
}

/// A client with a limited number of open requests.
#[derive(Debug)]
struct PooledClient {
    client: HttpClient,
    permits: Arc<Semaphore>,
}

impl PooledClient {
    fn new(client: HttpClient) -> Self {
        Self { client, permits: Arc::new(Semaphore::new(STREAMS_PER_CONNECTION as usize)) }
    }

    fn reserve(&self) -> Option<(HttpClient, OwnedSemaphorePermit)> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        Some((self.client.clone(), permit))
    }
}

impl Connections {
    /// `tls` applies to an `https` upstream. `connect_timeout` includes the TLS handshake; zero disables it.
    pub(crate) fn new(tls: ClientConfig, http2: bool, connect_timeout: Duration) -> Self {
        let mut builder = legacy::Builder::new(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .http1_max_buf_size(BUFFER_SIZE as usize)
            .http1_max_headers(MAX_HEADER_LINES)
            .http2_only(http2)
            .http2_max_header_list_size(BUFFER_SIZE)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW);
        let timeout = if connect_timeout.is_zero() { Duration::MAX } else { connect_timeout };
        let connector =
            Timeout::new(connector(tls, http2), timeout).map_response(move |connection| {
                let _ = CONNECTED.try_with(|connected| connected.set(true)); // unset if the request was dropped
                let connection = IncompleteReset::new(TokioIo::new(connection), http2);
                DeferWriteError::new(TokioIo::new(connection))
            });
        Self { builder, connector: BoxCloneSyncService::new(connector), clients: Mutex::default() }
    }

    /// Sends a request and waits for the head of its response.
    ///
    /// If a pooled connection ends without a response, the server has probably closed it when it became idle. The request
    /// is then sent again, provided that it is idempotent (RFC 9110, section 9.2.2) and has no body.
    pub(crate) async fn send(
        &self,
        mut request: Request<ProgressBody<RequestBody>>,
    ) -> Result<Response<UpstreamBody>, legacy::Error> {
        let (client, permit) = self.client();
        loop {
            let copy = retryable_copy(&request);
            let sending = async {
                let response = client.request(request).await;
                (response, CONNECTED.with(Cell::get))
            };
            let (response, connected) = CONNECTED.scope(Cell::new(false), sending).await;
            request = match (response, copy) {
                (Ok(response), _) => return Ok(response.map(|body| GuardedBody::new(body, permit))),
                (Err(error), Some(copy)) if !connected && closed_before_response(&error) => copy,
                (Err(error), _) => return Err(error),
            };
            tracing::debug!("the upstream closed a pooled connection, retrying");
        }
    }

    /// Reserves a place for a request. Adds a client to the pool if all are in use.
    fn client(&self) -> (HttpClient, OwnedSemaphorePermit) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.iter().find_map(PooledClient::reserve).unwrap_or_else(|| {
            let client = PooledClient::new(self.builder.build(self.connector.clone()));
            let reserved = client.reserve().expect("a new client has free places");
            clients.push(client);
            reserved
        })
    }
}

tokio::task_local! {
    /// Whether the current request has opened a new connection.
    static CONNECTED: Cell<bool>;
}

/// A copy of a request that may be sent twice.
fn retryable_copy(
    request: &Request<ProgressBody<RequestBody>>,
) -> Option<Request<ProgressBody<RequestBody>>> {
    let body = request.body().retryable_copy().filter(|_| request.method().is_idempotent())?;
    let mut copy = Request::new(body);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}

/// Whether the connection was closed before the response.
fn closed_before_response(error: &legacy::Error) -> bool {
    let ended = |cause: &(dyn Error + 'static)| {
        let incomplete = cause.downcast_ref().is_some_and(hyper::Error::is_incomplete_message);
        incomplete || cause.is::<io::Error>()
    };
    !error.is_connect() && chain(error).any(ended)
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
