//! What becomes of a request.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http_body_util::{Either, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, EXPECT, HOST, HeaderMap, HeaderValue, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode, Version};
use tower::Service;

use super::connections::{Connections, Download};
use super::failure::Failure;
use super::upgrade::Upgrade;
use super::upload::Upload;
use super::upstream::{self, Upstream};
use super::{addressee, forwarded, framing, hop};
use crate::front::Peer;

/// Passes requests on to the upstream, and its responses back: headers as a proxy has to, bodies as they
/// come. Where there is no response it answers itself.
#[derive(Clone)]
pub(super) struct Proxy(Arc<Passage>);

/// The way to the upstream, and what is done on it.
pub(super) struct Passage {
    pub(super) upstream: Upstream,
    pub(super) connections: Connections,
    /// Whether the upstream is spoken to in HTTP/2.
    pub(super) http2: bool,
    /// Whether it is called by its own name, and not by what the client calls the proxy.
    pub(super) own_host: bool,
    /// Whether clients are not believed in what they say of the way of their requests.
    pub(super) drop_forwarded: bool,
    /// How long it may take to begin its response, from the latest piece of the request on.
    pub(super) response_timeout: Duration,
}

impl Passage {
    async fn pass(&self, mut request: Request<Incoming>) -> Result<Response<Download>, Failure> {
        if request.method() == Method::CONNECT {
            return Err(Failure::Tunnel);
        }
        if !addressee::is_clear(&request) {
            return Err(Failure::Unclear);
        }
        if framing::is_coded(request.headers()) {
            return Err(Failure::Coded);
        }
        let awaits_events = awaits_events(request.headers());
        let upgrade = match Upgrade::of(&mut request) {
            Some(upgrade) if self.http2 && upgrade.is_to_websocket() => {
                return Err(Failure::WebSocket);
            }
            upgrade => upgrade.filter(|_| !self.http2),
        };
        let request = self.toward_upstream(request, upgrade.as_ref(), awaits_events)?;
        let (head, body) = request.into_parts();
        let (body, progress) = Upload::new(body);
        let response = self.connections.send(Request::from_parts(head, body));
        let limit = if awaits_events { Duration::ZERO } else { self.response_timeout };
        let Some(response) = progress.answered_within(limit, response).await else {
            tracing::warn!("{}", Failure::NotAnsweredInTime);
            return Err(Failure::NotAnsweredInTime);
        };
        let response = response.map_err(|error| {
            let failure = Failure::of(&error);
            let error = &error as &dyn std::error::Error;
            if failure == Failure::Request {
                tracing::debug!(error, "{failure}"); // the client's affair
            } else {
                tracing::warn!(error, "{failure}");
            }
            failure
        })?;
        toward_client(response, upgrade).inspect_err(|failure| tracing::warn!("{failure}"))
    }

    /// The request as the upstream gets it.
    fn toward_upstream(
        &self,
        request: Request<Incoming>,
        upgrade: Option<&Upgrade>,
        awaits_events: bool,
    ) -> Result<Request<Incoming>, Failure> {
        let (head, body) = request.into_parts();
        let mut passed = Request::new(());
        *passed.method_mut() = head.method;
        *passed.uri_mut() = self.upstream.target(&head.uri).ok_or(Failure::TargetTooLong)?;

        let mut headers = head.headers;
        hop::strip_request(&mut headers, !self.http2);
        join_cookies(&mut headers);
        if !self.http2 {
            framing::tell(&mut headers, passed.method(), &body);
        }
        if awaits_events {
            headers.remove(ACCEPT_ENCODING); // no heartbeat may stand in what is compressed
        }
        headers.remove(EXPECT); // met by the proxy itself, once the upstream wants the body
        if self.drop_forwarded {
            forwarded::forget(&mut headers);
        }
        if let Some(authority) = head.uri.authority() {
            headers.insert(HOST, upstream::host(authority));
        }
        if let Some(peer) = head.extensions.get::<Peer>() {
            forwarded::tell(&mut headers, head.version, *peer);
        }
        if self.http2 {
            headers.remove(HOST); // which the target tells
        } else if self.own_host {
            headers.insert(HOST, self.upstream.host());
        }
        if let Some(upgrade) = upgrade {
            upgrade.ask(&mut headers);
        }
        *passed.headers_mut() = headers;
        Ok(passed.map(|()| body))
    }
}

/// Whether a client waits for server-sent events, as a browser's `EventSource` does: the first may be long
/// in coming, and some servers begin their response with it.
fn awaits_events(headers: &HeaderMap) -> bool {
    hop::members(headers, &ACCEPT)
        .filter_map(|media| media.split(|&byte| byte == b';').next())
        .any(|media| media.trim_ascii().eq_ignore_ascii_case(b"text/event-stream"))
}

/// Puts cookies into one line, as HTTP/1.1 has them. Those of HTTP/2 may stand each in their own.
fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() > 1
        && let Ok(line) = HeaderValue::from_bytes(&lines.join(&b"; "[..]))
    {
        headers.insert(COOKIE, line);
    }
}

/// The response as the client gets it.
fn toward_client(
    mut response: Response<Download>,
    upgrade: Option<Upgrade>,
) -> Result<Response<Download>, Failure> {
    if framing::is_coded(response.headers()) && !response.body().is_end_stream() {
        return Err(Failure::CodedAnswer);
    }
    framing::drop_false_length(&mut response);
    let protocols: Vec<_> = response.headers().get_all(UPGRADE).iter().cloned().collect();
    hop::strip(response.headers_mut());
    *response.version_mut() = Version::HTTP_11; // the proxy's own, where it matters
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let upgrade = upgrade.ok_or(Failure::UnaskedUpgrade)?;
        upgrade.answer(&mut response, protocols);
    }
    Ok(response)
}

/// The answer to a request that is one too many.
pub(super) fn refuse(request: &Parts) -> Response<ProxyBody> {
    let content_type = request.headers.get(CONTENT_TYPE).cloned();
    Failure::TooMany.answer(content_type).map(Either::Right)
}

/// The upstream's body, or the proxy's own.
pub(super) type ProxyBody = Either<Download, Full<Bytes>>;

impl Proxy {
    pub(super) fn new(passage: Passage) -> Self {
        Self(Arc::new(passage))
    }
}

impl Service<Request<Incoming>> for Proxy {
    type Response = Response<ProxyBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<ProxyBody>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let passage = Arc::clone(&self.0);
        Box::pin(async move {
            let content_type = request.headers().get(CONTENT_TYPE).cloned();
            Ok(match passage.pass(request).await {
                Ok(response) => response.map(Either::Left),
                Err(failure) => failure.answer(content_type).map(Either::Right),
            })
        })
    }
}
