use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::BoxError;
use tower_service::Service;

use super::accept::accept_next;
use super::connection::Connection;
use super::runtime::RuntimeExecutor;
use super::{ServerError, ServerOptions, ServerRuntime, tls};
use crate::transport::{CONNECTION_WINDOW, STREAM_WINDOW};

/// Maximum number of header lines of an HTTP/1.1 request: so many that the size limit decides. hyper allocates space
/// for all of them for each request.
const MAX_HEADER_LINES: usize = 1000;

/// HTTP/2 streams per connection beyond `max_streams`: rejected requests whose clients have not read the response
/// yet. Without this limit a client that reads nothing could open streams without end.
const REJECTED_STREAMS: u32 = 100;

/// An HTTP server: HTTP/1.1 and HTTP/2 on one port, with or without TLS.
///
/// [`ServerOptions`] limits what clients can use. One connection may use all allowed streams. A response has no time
/// limit. An HTTP/2 client that cancels more than 200 requests within a second gets a GOAWAY, and can continue on another
/// connection.
///
/// # Example
///
/// ```
/// use axum::{Router, routing::get};
/// use heartbeat_proxy::http_server::{HttpServer, ServerOptions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), heartbeat_proxy::http_server::ServerError> {
/// let server = HttpServer::bind(([127, 0, 0, 1], 0).into(), &ServerOptions::new()).await?;
/// println!("listening on {}", server.local_addr());
/// let router: Router = Router::new().route("/", get(async || "response"));
/// # let shutdown = std::future::ready(()); // Ctrl-C, for example
/// server.serve(router, shutdown).await;
/// # Ok(())
/// # }
/// ```
#[must_use = "a server does nothing until it serves"]
pub struct HttpServer<R: ServerRuntime = TcpListener> {
    listener: R,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    options: ServerOptions,
    ping_interval: Option<Duration>,
    half_close: bool,
}

impl HttpServer {
    /// Listens on `address` with tokio; port 0 chooses a free port. Clients can connect from now on, and wait until
    /// [`serve`](Self::serve) is called.
    ///
    /// # Errors
    ///
    /// If listening fails or the TLS files cannot be used.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O enabled.
    pub async fn bind(address: SocketAddr, options: &ServerOptions) -> Result<Self, ServerError> {
        Self::bind_on(address, options).await
    }
}

impl<R: ServerRuntime> HttpServer<R> {
    /// Listens on `address` with the runtime `R`; port 0 chooses a free port.
    ///
    /// # Errors
    ///
    /// If listening fails or the TLS files cannot be used.
    pub async fn bind_on(
        address: SocketAddr,
        options: &ServerOptions,
    ) -> Result<Self, ServerError> {
        let tls = options.tls.as_ref().map(tls::acceptor).transpose()?;
        let listen = |source| ServerError::Listen { address, source };
        let listener = R::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let options = options.clone();
        Ok(Self { listener, address, tls, options, ping_interval: None, half_close: false })
    }

    /// The address that clients connect to, including the chosen port.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Sends HTTP/2 PINGs at this interval, and closes a connection that does not answer them. Default: `None`.
    ///
    /// PINGs count as writes: an interval shorter than the idle timeout keeps idle connections open.
    pub fn with_ping_interval(self, interval: Option<Duration>) -> Self {
        Self { ping_interval: interval, ..self }
    }

    /// Lets an HTTP/1.1 client close its sending half, as `nc -N` does, and continue to read. Default: `false`.
    ///
    /// A client that has disconnected looks the same. The server then notices it only when a write fails: at the
    /// next heartbeat or the one after it, or at an event. With `false` the close ends the open request at once, also
    /// while bytes of further requests are unread (see [`ServerRuntime::read_closed`]).
    pub fn with_half_close(self, half_close: bool) -> Self {
        Self { half_close, ..self }
    }

    /// Serves requests with `service` until `shutdown` completes and all connections have closed, including upgraded
    /// ones. Each request carries its [`Peer`](super::Peer) in its extensions.
    ///
    /// At the shutdown the listener closes. Each connection closes once its open requests have been answered. A
    /// failed accept is logged and retried after a short pause.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the listener, and lets the connections end as at a shutdown.
    ///
    /// # Panics
    ///
    /// On tokio: outside a tokio runtime with I/O and time enabled. On another runtime the future can be polled
    /// anywhere, since it only waits for tasks of that runtime.
    pub async fn serve<S, B>(self, service: S, shutdown: impl Future<Output = ()> + Send + 'static)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S: Service<Request<Incoming>, Future: Send, Error: Into<BoxError>>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let (serving, served) = self.accept_loop(service, shutdown).remote_handle();
        R::spawn(serving);
        served.await;
    }

    async fn accept_loop<S, B>(self, service: S, shutdown: impl Future<Output = ()>)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S: Service<Request<Incoming>, Future: Send, Error: Into<BoxError>>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let http = Arc::new(self.http());
        let max_connections = self.options.max_connections;
        let connections = Arc::new(Semaphore::new(max_connections as usize));
        let (closing, closed) = watch::channel(());
        let timer = R::Timer::default();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepting = async {
                let permit = Arc::clone(&connections).acquire_owned().await;
                let accepted = accept_next(&timer, || self.listener.accept()).await;
                (permit, accepted)
            };
            let (permit, (transport, address)) = tokio::select! {
                accepted = accepting => accepted,
                () = &mut shutdown => break,
            };
            let Ok(permit) = permit else { break }; // unreachable: the semaphore is never closed
            let connection = Connection::<R> {
                transport,
                address,
                permit,
                tls: self.tls.clone(),
                http: Arc::clone(&http),
                idle_timeout: self.options.idle_timeout,
                half_close: self.half_close,
                shutdown: closed.clone(),
            };
            R::spawn(connection.serve(service.clone()));
        }
        // Closes the listener: clients are refused instead of waiting for an accept.
        drop((self.listener, closing));
        let _ = connections.acquire_many(max_connections).await; // all connections have closed
    }

    fn http(&self) -> auto::Builder<RuntimeExecutor<R>> {
        let mut http = auto::Builder::new(RuntimeExecutor::new());
        let header_size = self.options.max_header_size;
        // hyper's own timeout starts after the previous response, and does not cover the detection of the HTTP
        // version. The idle timeout of the connection covers both.
        http.http1()
            .header_read_timeout(None)
            .max_buf_size(header_size as usize)
            .max_headers(MAX_HEADER_LINES)
            .half_close(self.half_close);
        http.http2()
            .timer(R::http_timer())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(self.ping_interval)
            .max_concurrent_streams(self.options.max_streams.saturating_add(REJECTED_STREAMS))
            .max_header_list_size(header_size);
        http
    }
}

impl<R: ServerRuntime> fmt::Debug for HttpServer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer")
            .field("address", &self.address)
            .field("options", &self.options)
            .field("ping_interval", &self.ping_interval)
            .field("half_close", &self.half_close)
            .finish_non_exhaustive()
    }
}
