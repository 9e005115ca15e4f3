use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use hyper::body::{Body, Incoming};
use hyper::rt::Executor;
use hyper::{Request, Response};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use super::connection::Connection;
use super::{FrontError, FrontOptions, tls};
use crate::runtime::accept::incoming;
use crate::runtime::host::Host;
use crate::transport::{WINDOW, WINDOWS};

/// How many lines the headers of a request may have with HTTP/1.1: more than a request needs, so that what
/// limits it is its length. `hyper` allocates for so many each time.
const HEADER_LINES: usize = 1000;

/// How many streams more than may be answered a connection of HTTP/2 may have: those that are refused, until
/// their client has heard of it. Without an end to them one that hears nothing could go on for ever.
const REFUSED: u32 = 100;

/// A server that listens, for HTTP/1.1 and HTTP/2 on one port, over TLS or not.
///
/// What a client may take up is limited by the [`FrontOptions`]. One connection may have all the streams
/// that there may be, and an answer may take as long as it does.
#[must_use = "clients wait until they are served"]
#[expect(private_bounds, reason = "it is made for the runtimes that there are")]
pub struct Front<L: Host = TcpListener> {
    listener: L,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    options: FrontOptions,
    pings: Option<Duration>,
    half_close: bool,
}

impl Front {
    /// Listens on `address`, where port 0 stands for any free one. Clients may connect from now on, but
    /// wait until they are [served](Self::serve).
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, or there is no TLS by these files.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O enabled.
    pub async fn bind(address: SocketAddr, options: &FrontOptions) -> Result<Self, FrontError> {
        Self::listen(address, options).await
    }
}

#[expect(private_bounds, reason = "it is made for the runtimes that there are")]
impl<L: Host> Front<L> {
    /// The same on any runtime.
    pub(crate) async fn listen(
        address: SocketAddr,
        options: &FrontOptions,
    ) -> Result<Self, FrontError> {
        let tls = match (&options.tls_cert, &options.tls_key) {
            (Some(cert), Some(key)) => Some(tls::acceptor(cert, key)?),
            _ => None,
        };
        let listen = |source| FrontError::Listen { address, source };
        let listener = L::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self {
            listener,
            address,
            tls,
            options: options.clone(),
            pings: None,
            half_close: false,
        })
    }

    /// Where clients connect to, with the port that was chosen.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Sends HTTP/2 PINGs this often, and closes a connection that does not answer them. To write one more
    /// often than the idle timeout is to keep a connection. Default: none.
    pub fn pings(self, every: Option<Duration>) -> Self {
        Self { pings: every, ..self }
    }

    /// Lets a client of HTTP/1.1 end its half of the connection, as `nc -N` does, and read on. Default: no.
    ///
    /// To the server, one that has gone altogether looks the same, and is not noticed before something is written
    /// to it: at the next heartbeat or the one after, and where none is sent not before an event.
    pub(crate) fn half_close(self, half_close: bool) -> Self {
        Self { half_close, ..self }
    }

    /// Hands all requests to `service`, each with a [`Peer`](super::Peer) in its extensions, until
    /// `shutdown` is ready and all connections have ended; those that were upgraded too.
    ///
    /// From the shutdown on nobody is accepted, and each connection ends once the requests that are under
    /// way have been answered. An accept that fails is logged, and tried again after a short pause.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the listener, and lets the connections end as at a shutdown.
    ///
    /// # Panics
    ///
    /// On tokio, outside a tokio runtime with I/O and time enabled. On another runtime it may be polled
    /// anywhere: it only waits for tasks of that runtime's.
    pub async fn serve<S, B>(self, service: S, shutdown: impl Future<Output = ()> + Send + 'static)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S: Service<Request<Incoming>, Future: Send, Error: Into<BoxError>>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let (serving, served) = self.serve_all(service, shutdown).remote_handle();
        L::spawn(serving);
        served.await;
    }

    async fn serve_all<S, B>(self, service: S, shutdown: impl Future<Output = ()>)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S: Service<Request<Incoming>, Future: Send, Error: Into<BoxError>>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let http = Arc::new(self.http());
        let count = self.options.max_connections;
        let connections = Arc::new(Semaphore::new(count as usize));
        let (closing, closes) = watch::channel(());
        let incoming = incoming(self.listener, L::Timer::default());
        let (mut incoming, mut shutdown) = (Box::pin(incoming), pin!(shutdown));
        loop {
            let accepted = async {
                let permit = Arc::clone(&connections).acquire_owned().await;
                Some((permit.ok()?, incoming.next().await?))
            };
            let (permit, (connection, address)) = tokio::select! {
                accepted = accepted => match accepted {
                    Some(accepted) => accepted,
                    None => break, // cannot be: neither has an end
                },
                () = &mut shutdown => break,
            };
            let connection = Connection::<L> {
                transport: connection,
                address,
                permit,
                tls: self.tls.clone(),
                http: Arc::clone(&http),
                idle_timeout: self.options.idle_timeout,
                closes: closes.clone(),
            };
            L::spawn(connection.serve(service.clone()));
        }
        drop((incoming, closing)); // and the listener: from now on clients are refused, not left waiting
        let _ = connections.acquire_many(count).await; // that is, until all have ended
    }

    fn http(&self) -> auto::Builder<Tasks<L>> {
        let mut http = auto::Builder::new(Tasks(PhantomData));
        let header_size = self.options.max_header_size;
        // hyper counts the time for a header from the answer before, and would not mind how long HTTP/1.1
        // takes to show that it is none. The connection itself minds both, by one measure.
        http.http1()
            .header_read_timeout(None)
            .max_buf_size(header_size as usize)
            .max_headers(HEADER_LINES)
            .half_close(self.half_close);
        http.http2()
            .timer(L::http_timer())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOWS)
            .keep_alive_interval(self.pings)
            .max_concurrent_streams(self.options.max_streams.saturating_add(REFUSED))
            .max_header_list_size(header_size);
        http
    }
}

impl<L: Host> fmt::Debug for Front<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front")
            .field("address", &self.address)
            .field("options", &self.options)
            .field("pings", &self.pings)
            .field("half_close", &self.half_close)
            .finish_non_exhaustive()
    }
}

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The tasks of a runtime, for hyper to start.
#[derive(Debug)]
pub(super) struct Tasks<L>(PhantomData<fn() -> L>);

impl<L> Clone for Tasks<L> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<L: Host, F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks<L> {
    fn execute(&self, task: F) {
        L::spawn(task);
    }
}
