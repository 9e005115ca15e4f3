use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use heartbeat_http::{HeartbeatLayer, HeartbeatPolicy, HeartbeatService};
use heartbeat_tokio::Hub;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use pin_project_lite::pin_project;
use tower::BoxError;
use tower_layer::Layer;
use tower_service::Service;

use crate::access_log::{AccessRecord, ProxyBody};
use crate::bodies::{ForwardedBody, RequestBody, SharedTelemetry};
use crate::forward::{Forward, reject};
use crate::http_server::{LimitedService, StreamLimit};
use crate::{ProxyBuilder, Upstream};

type Reject = fn(&Parts) -> Response<ForwardedBody>;
type Inner = HeartbeatService<LimitedService<Forward, Reject>, Hub, SharedTelemetry>;

/// A reverse proxy: a tower service that forwards requests to an upstream and adds heartbeats to its quiet responses.
///
/// Serve it with an [`HttpServer`](crate::http_server::HttpServer), or embed it in another server. The proxy reads
/// the client's address from a [`Peer`](crate::http_server::Peer) in the extensions of the request. `HttpServer`
/// inserts it; in another server insert it yourself, or the proxy sends no `X-Forwarded-…` and `Via` headers.
///
/// Clones share connections, limits and heartbeats.
///
/// # Example
///
/// ```no_run
/// use std::time::Duration;
///
/// use heartbeat_proxy::{HeartbeatPolicy, Proxy};
/// use heartbeat_tokio::{HeartbeatMessage, NdjsonHeartbeat, StreamingMethods};
///
/// # fn proxy() -> Result<Proxy, Box<dyn std::error::Error>> {
/// let methods = StreamingMethods::paths(["/galaxy.gateway.v1.GatewayService/Subscribe"]);
/// let policy = HeartbeatPolicy::new(Duration::from_secs(15))
///     .with_ndjson(NdjsonHeartbeat::Space)
///     .with_rpc(methods, HeartbeatMessage::empty());
/// let proxy = Proxy::builder("http://127.0.0.1:50051".parse()?)
///     .heartbeats(policy)
///     .upstream_http2(true)
///     .response_timeout(Duration::from_secs(30))
///     .build();
/// # Ok(proxy)
/// # }
/// ```
#[derive(Clone)]
pub struct Proxy {
    inner: Inner,
    connection_rejections: Arc<AtomicU64>,
}

impl Proxy {
    /// Starts to build a proxy to `upstream`, with the defaults that the setters name.
    pub fn builder(upstream: Upstream) -> ProxyBuilder {
        ProxyBuilder::new(upstream)
    }

    pub(crate) fn new(
        forward: Forward,
        policy: HeartbeatPolicy<SharedTelemetry>,
        max_streams: u32,
        hub: Hub,
    ) -> Self {
        let connection_rejections = forward.connection_rejections();
        let limit = StreamLimit::new(max_streams, reject as Reject);
        let inner = HeartbeatLayer::with_scheduler(hub, policy).layer(limit.layer(forward));
        Self { inner, connection_rejections }
    }

    /// Number of requests that were rejected because of
    /// [`max_upstream_connections`](ProxyBuilder::max_upstream_connections), since the proxy was built.
    #[must_use]
    pub fn connection_rejections(&self) -> u64 {
        self.connection_rejections.load(Relaxed)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for Proxy
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<ProxyBody>;
    type Error = Infallible;
    type Future = ProxyFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(())) // as `Forward` is
    }

    fn call(&mut self, request: Request<B>) -> ProxyFuture {
        let record = AccessRecord::new(&request);
        let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        ProxyFuture { response: self.inner.call(request), record: Some(record) }
    }
}

pin_project! {
    /// The response future of a [`Proxy`]. Dropping it drops the request to the upstream.
    #[must_use = "futures do nothing unless polled"]
    pub struct ProxyFuture {
        #[pin]
        response: <Inner as Service<Request<RequestBody>>>::Future,
        record: Option<AccessRecord>,
    }
}

impl Future for ProxyFuture {
    type Output = Result<Response<ProxyBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.response.poll(cx))?;
        let record = this.record.take().expect("the future is polled after its end");
        Poll::Ready(Ok(ProxyBody::wrap(response, record)))
    }
}

impl fmt::Debug for ProxyFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyFuture").field("record", &self.record).finish_non_exhaustive()
    }
}
