//! The connections to the upstream.

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
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

use super::read_on::ReadOn;
use super::upload::Upload;
use crate::causes::causes;
use crate::front::Guarded;
use crate::transport::{LOOKED_AFTER, UNREAD, WINDOW, WINDOWS};

/// How many requests share a client, which has one connection with HTTP/2: no more than servers let a
/// connection have at once (RFC 9113 recommends 100 at least). Any more would wait for one to end, and
/// streams do not.
const SHARED_BY: u32 = 100;
const _: () = assert!(SHARED_BY <= UNREAD, "those that nobody reads would hold the others up");

/// How long an idle connection is kept. Servers close theirs after 2 s (gunicorn), 5 s (Node, uvicorn) or
/// more, and one that does so as a request comes would fail it.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// How much of a response is read at once with HTTP/1.1, and so the most that is held of one that nobody
/// reads; and how large its head may be in either version.
const BUFFER: u32 = 64 * 1024;

/// How many lines its head may have: as many as it has room for.
const LINES: usize = 1000;

type Io = ReadOn<MaybeHttpsStream<TokioIo<TcpStream>>>;
type Connector = BoxCloneSyncService<Uri, Io, BoxError>;
type Requests = Client<Connector, Upload<Incoming>>;

/// The body of a response of the upstream's, which has its place on a connection until it is dropped.
pub(super) type Download = Guarded<Incoming, OwnedSemaphorePermit>;

/// Connections to the upstream, which are made as they are needed and kept for a while.
pub(super) struct Connections {
    builder: legacy::Builder,
    connector: Connector,
    clients: Mutex<Vec<Shared>>,
}

/// A client, and the places that are free on it.
#[derive(Debug)]
struct Shared {
    client: Requests,
    places: Arc<Semaphore>,
}

impl Shared {
    fn new(client: Requests) -> Self {
        Self { client, places: Arc::new(Semaphore::new(SHARED_BY as usize)) }
    }

    fn place(&self) -> Option<(Requests, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some((self.client.clone(), place))
    }
}

impl Connections {
    /// `tls` is for an upstream with `https`. A connection is there within `connect_timeout`, TLS
    /// included, or not at all; zero is for ever.
    pub(super) fn new(tls: ClientConfig, http2: bool, connect_timeout: Duration) -> Self {
        let mut builder = legacy::Builder::new(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEPT_FOR)
            .http1_max_buf_size(BUFFER as usize)
            .http1_max_headers(LINES)
            .http2_only(http2)
            .http2_max_header_list_size(BUFFER)
            .http2_initial_stream_window_size(WINDOW)
            .http2_initial_connection_window_size(WINDOWS);
        let limit = if connect_timeout.is_zero() { Duration::MAX } else { connect_timeout };
        let connector = Timeout::new(connector(tls, http2), limit).map_response(|connection| {
            let _ = CONNECTED.try_with(|connected| connected.set(true)); // or nobody waits for it now
            ReadOn::new(connection)
        });
        Self { builder, connector: BoxCloneSyncService::new(connector), clients: Mutex::default() }
    }

    /// Sends a request, and has its response once that begins. Where a connection that was used before
    /// ends without a response, the server may have closed it just then: the request is sent again, if that
    /// makes no difference (RFC 9110, 9.2.2) and it has no body.
    pub(super) async fn send(
        &self,
        mut request: Request<Upload<Incoming>>,
    ) -> Result<Response<Download>, legacy::Error> {
        let (client, place) = self.client();
        loop {
            let again = again(&request);
            let sending = async {
                let response = client.request(request).await;
                (response, CONNECTED.with(Cell::get))
            };
            let (response, connected) = CONNECTED.scope(Cell::new(false), sending).await;
            request = match (response, again) {
                (Ok(response), _) => return Ok(response.map(|body| Guarded::new(body, place))),
                (Err(error), Some(again)) if !connected && hung_up(&error) => again,
                (Err(error), _) => return Err(error),
            };
            tracing::debug!("the upstream closed a connection as it was used again");
        }
    }

    /// A client with room for one more request, and the request's place.
    fn client(&self) -> (Requests, OwnedSemaphorePermit) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.iter().find_map(Shared::place).unwrap_or_else(|| {
            let client = Shared::new(self.builder.build(self.connector.clone()));
            let placed = client.place().expect("all places are free");
            clients.push(client);
            placed
        })
    }
}

tokio::task_local! {
    /// Whether a connection has been made for the request that is being sent.
    static CONNECTED: Cell<bool>;
}

/// The same request once more, if it may be sent twice.
fn again(request: &Request<Upload<Incoming>>) -> Option<Request<Upload<Incoming>>> {
    let body = request.body().again().filter(|_| request.method().is_idempotent())?;
    let mut again = Request::new(body);
    again.method_mut().clone_from(request.method());
    again.uri_mut().clone_from(request.uri());
    again.headers_mut().clone_from(request.headers());
    Some(again)
}

/// Whether a connection ended where a response was to begin.
fn hung_up(error: &legacy::Error) -> bool {
    let ended = |cause: &(dyn Error + 'static)| {
        let incomplete = cause.downcast_ref().is_some_and(hyper::Error::is_incomplete_message);
        incomplete || cause.is::<io::Error>()
    };
    !error.is_connect() && causes(error).any(ended)
}

fn connector(tls: ClientConfig, http2: bool) -> HttpsConnector<HttpConnector> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    // HTTP/2 PINGs do not suit: gRPC servers hang up on clients that send them on quiet streams.
    let (idle, interval, retries) = LOOKED_AFTER;
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
