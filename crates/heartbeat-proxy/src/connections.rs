//! A pool of connections to the upstream.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::{Request, Response};
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::bodies::{RequestBody, UpstreamBody};
use crate::connect::Connector;
use crate::error::ProxyError;
use crate::http_server::GuardedBody;
use crate::pooled_io::ConnectionState;
use crate::progress::ProgressBody;
use crate::retry::{self, RequestCopy, SendError};
use crate::transport::{CONNECTION_WINDOW, MAX_UNREAD_BODIES, STREAM_WINDOW};

/// Maximum number of open requests per client, which has one HTTP/2 connection. RFC 9113 recommends that servers allow at
/// least 100 streams per connection. A further request would wait for a stream to end, which can take forever.
const STREAMS_PER_CONNECTION: u32 = 100;
const _: () =
    assert!(STREAMS_PER_CONNECTION <= MAX_UNREAD_BODIES, "unread bodies must not block others");

/// Time that an idle connection stays in the pool. Servers close idle connections after 2 s (gunicorn), 5 s (Node,
/// uvicorn) or later; a request on a connection that the server is closing fails.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// Size of the read buffer of an HTTP/1.1 connection, and hyper's own limit for a response head, in bytes. The buffer bounds
/// the memory for an unread response. `response_head_limit` has the limit for heads that are forwarded.
const BUFFER_SIZE: u32 = 64 * 1024;

/// Maximum number of header lines of an HTTP/1.1 response. The size limit is reached first unless the lines are short.
const MAX_HEADER_LINES: usize = 1000;

/// How often a request is sent again.
const MAX_RETRIES: usize = 2;

type HttpClient = Client<Connector, ProgressBody<RequestBody>>;

/// Connections to the upstream. They are opened on demand, and closed after a short idle time.
pub(crate) struct Connections {
    builder: legacy::Builder,
    connector: Connector,
    http2: bool,
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
    /// Uses `connector`, which opens connections for HTTP/2 if `http2`.
    pub(crate) fn new(connector: Connector, http2: bool) -> Self {
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
        Self { builder, connector, http2, clients: Mutex::default() }
    }

    /// Sends a request and waits for the head of its response. A request that [may be sent again](retry::is_allowed) is
    /// sent up to [`MAX_RETRIES`] times again.
    pub(crate) async fn send(
        &self,
        mut request: Request<ProgressBody<RequestBody>>,
    ) -> Result<Response<UpstreamBody>, (ProxyError, SendError)> {
        let (mut client, permit) = self.client();
        let mut retries = 0;
        loop {
            let copy = RequestCopy::of(&request);
            let connection = capture_connection(&mut request);
            let error = tokio::select! {
                biased;
                response = client.request(request) => match response {
                    Ok(response) => {
                        ConnectionState::record_response(response.extensions());
                        return Ok(response.map(|body| GuardedBody::new(body, permit)));
                    }
                    Err(error) => SendError::Failed(error),
                },
                () = ConnectionState::closed(connection) => SendError::Lost,
            };
            let unread = copy.into_unread();
            let failure = ProxyError::from_send(&error, unread.is_some());
            let allowed = unread.filter(|request| retry::is_allowed(request, &error));
            let Some(again) = allowed.filter(|_| retries < MAX_RETRIES) else {
                return Err((failure, error));
            };
            tracing::debug!(error = &error as &dyn Error, "sending a request again");
            retry::discard_closing(&error);
            request = again;
            retries += 1;
            if retries == MAX_RETRIES && !self.http2 {
                client = self.new_client(); // with a new connection: the pooled ones may all be closing
            }
        }
    }

    fn new_client(&self) -> HttpClient {
        self.builder.build(self.connector.clone())
    }

    /// Reserves a place for a request. Adds a client to the pool if all are in use.
    fn client(&self) -> (HttpClient, OwnedSemaphorePermit) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.iter().find_map(PooledClient::reserve).unwrap_or_else(|| {
            let client = PooledClient::new(self.new_client());
            let reserved = client.reserve().expect("a new client has free places");
            clients.push(client);
            reserved
        })
    }
}
