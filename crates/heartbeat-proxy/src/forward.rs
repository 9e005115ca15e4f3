//! Forwards a request to the upstream and its response to the client.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use heartbeat_http::HeartbeatPolicy;
use http_body_util::Either;
use hyper::body::Body;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT, HOST, HeaderMap,
    HeaderValue, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode, Version};
use tower::Service;

use crate::bodies::{ForwardedBody, RequestBody, UpstreamBody};
use crate::connections::Connections;
use crate::error::ProxyError;
use crate::http_server::Peer;
use crate::progress::ProgressBody;
use crate::upgrade::Upgrade;
use crate::upstream::{self, Upstream};
use crate::{forwarded, hop_by_hop, response_head_limit, target, transfer_encoding};

/// A service that forwards requests to the upstream. If the upstream does not respond, it responds with an error.
#[derive(Clone)]
pub(crate) struct Forward(Arc<ProxyContext>);

/// The connections to the upstream, and how to rewrite requests.
pub(crate) struct ProxyContext {
    /// Which methods of gRPC, gRPC-Web and Connect respond with a stream.
    pub(crate) policy: HeartbeatPolicy,
    pub(crate) upstream: Upstream,
    pub(crate) connections: Connections,
    /// Whether the connections to the upstream use HTTP/2.
    pub(crate) http2: bool,
    /// Whether `Host` is the upstream's name instead of the client's value.
    pub(crate) upstream_host: bool,
    /// Whether the client's `X-Forwarded-…` headers are removed.
    pub(crate) drop_forwarded: bool,
    /// From the latest part of the request to the head of a response that does not start late. Zero disables it.
    pub(crate) response_timeout: Duration,
    /// The name of the proxy in `Via`.
    pub(crate) via: String,
    /// Number of requests that were rejected because of the limit of connections to the upstream.
    pub(crate) connection_rejections: Arc<AtomicU64>,
}

impl ProxyContext {
    async fn forward(
        &self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<UpstreamBody>, ProxyError> {
        if request.method() == Method::CONNECT {
            return Err(ProxyError::ConnectRejected);
        }
        if !target::has_unambiguous_target(&request) {
            return Err(ProxyError::AmbiguousTarget);
        }
        if transfer_encoding::is_unsupported(request.headers()) {
            return Err(ProxyError::UnsupportedTransferCoding);
        }
        let may_start_late = asks_for_events(request.headers())
            || self.policy.is_streaming_method(request.uri().path());
        let upgrade = match Upgrade::of(&mut request) {
            Some(upgrade) if self.http2 && upgrade.is_to_websocket() => {
                return Err(ProxyError::WebSocketOverHttp2);
            }
            upgrade => upgrade.filter(|_| !self.http2),
        };
        let client_version = request.version();
        let request = self.rewrite_request(request, upgrade.as_ref())?;
        let (head, body) = request.into_parts();
        let (body, progress) = ProgressBody::new(body);
        let response = self.connections.send(Request::from_parts(head, body));
        let timeout = if may_start_late { Duration::ZERO } else { self.response_timeout };
        let Some(response) = progress.response_within(timeout, response).await else {
            tracing::warn!("{}", ProxyError::ResponseTimeout);
            return Err(ProxyError::ResponseTimeout);
        };
        let response = response.map_err(|(error, source)| {
            let source = &source as &dyn std::error::Error;
            if error == ProxyError::TooManyUpstreamConnections {
                self.connection_rejections.fetch_add(1, Relaxed);
            }
            if error == ProxyError::RequestAborted {
                tracing::debug!(error = source, "{error}"); // caused by the client
            } else {
                tracing::warn!(error = source, "{error}");
            }
            error
        })?;
        rewrite_response(response, client_version, upgrade)
            .inspect_err(|error| tracing::warn!("{error}"))
    }

    /// Makes the request to the upstream from a client's request.
    fn rewrite_request(
        &self,
        request: Request<RequestBody>,
        upgrade: Option<&Upgrade>,
    ) -> Result<Request<RequestBody>, ProxyError> {
        let (head, body) = request.into_parts();
        let mut rewritten = Request::new(());
        *rewritten.method_mut() = head.method;
        *rewritten.uri_mut() = self.upstream.target(&head.uri).ok_or(ProxyError::TargetTooLong)?;

        let mut headers = head.headers;
        hop_by_hop::strip_request(&mut headers, !self.http2);
        join_cookies(&mut headers);
        if !self.http2 {
            transfer_encoding::set_body_length(&mut headers, rewritten.method(), &body);
        }
        // Compressed data has no room for heartbeats, and a request does not say whether its response is a stream.
        headers.remove(ACCEPT_ENCODING);
        headers.remove(EXPECT); // hyper's server sends 100 Continue when the body is polled
        if self.drop_forwarded {
            forwarded::strip_forwarded(&mut headers);
        }
        if let Some(authority) = head.uri.authority() {
            headers.insert(HOST, upstream::host(authority));
        }
        if let Some(peer) = head.extensions.get::<Peer>() {
            forwarded::append_forwarded(&mut headers, head.version, *peer, &self.via);
        }
        if self.http2 {
            headers.remove(HOST); // HTTP/2 has `:authority` from the target
        } else if self.upstream_host {
            headers.insert(HOST, self.upstream.host());
        }
        if let Some(upgrade) = upgrade {
            upgrade.request(&mut headers);
        }
        *rewritten.headers_mut() = headers;
        Ok(rewritten.map(|()| body))
    }
}

/// Whether the request may ask for server-sent events: by its `Accept`, as a browser's `EventSource` does, or in a JSON
/// body, as the SDKs of LLM APIs do. The first event may take long, and some servers send the head of the response
/// together with it.
fn asks_for_events(headers: &HeaderMap) -> bool {
    let names = |header, media_type: &[u8]| {
        hop_by_hop::list_members(headers, &header)
            .filter_map(|media| media.split(|&byte| byte == b';').next())
            .any(|media| media.trim_ascii().eq_ignore_ascii_case(media_type))
    };
    names(ACCEPT, b"text/event-stream") || names(CONTENT_TYPE, b"application/json")
}

/// Joins several `Cookie` lines, which HTTP/2 allows, into one, which HTTP/1.1 requires.
fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() < 2 {
        return;
    }
    if let Ok(line) = HeaderValue::from_bytes(&lines.join(&b"; "[..])) {
        headers.insert(COOKIE, line);
    }
}

/// Makes the response to the client from the upstream's response.
fn rewrite_response(
    mut response: Response<UpstreamBody>,
    client_version: Version,
    upgrade: Option<Upgrade>,
) -> Result<Response<UpstreamBody>, ProxyError> {
    if transfer_encoding::is_unsupported(response.headers()) && !response.body().is_end_stream() {
        return Err(ProxyError::UnexpectedTransferCoding);
    }
    transfer_encoding::drop_conflicting_length(&mut response);
    if !transfer_encoding::unify_length(response.headers_mut()) {
        return Err(ProxyError::UpstreamReset);
    }
    let protocols: Vec<_> = response.headers().get_all(UPGRADE).iter().cloned().collect();
    hop_by_hop::strip(response.headers_mut());
    if response_head_limit::is_too_large(response.headers()) {
        return Err(ProxyError::ResponseHeadTooLarge);
    }
    let ends_with_connection = client_version == Version::HTTP_10
        && !response.headers().contains_key(CONTENT_LENGTH)
        && !response.body().is_end_stream();
    *response.version_mut() = if ends_with_connection {
        Version::HTTP_10 // hyper then does not promise to keep the connection open
    } else {
        Version::HTTP_11 // the proxy's own version; hyper adapts it to the client
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let upgrade = upgrade.ok_or(ProxyError::UnexpectedUpgrade)?;
        upgrade.accept(&mut response, protocols);
    }
    Ok(response)
}

/// The response to a request beyond the limit of open requests.
pub(crate) fn reject(request: &Parts) -> Response<ForwardedBody> {
    let content_type = request.headers.get(CONTENT_TYPE).cloned();
    ProxyError::TooManyRequests.response(content_type).map(Either::Right)
}

impl Forward {
    pub(crate) fn new(context: ProxyContext) -> Self {
        Self(Arc::new(context))
    }

    /// The counter of requests that were rejected because of the limit of connections to the upstream.
    pub(crate) fn connection_rejections(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.0.connection_rejections)
    }
}

impl Service<Request<RequestBody>> for Forward {
    type Response = Response<ForwardedBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<ForwardedBody>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let context = Arc::clone(&self.0);
        Box::pin(async move {
            let content_type = request.headers().get(CONTENT_TYPE).cloned();
            Ok(match context.forward(request).await {
                Ok(response) => response.map(Either::Left),
                Err(error) => error.response(content_type).map(Either::Right),
            })
        })
    }
}
