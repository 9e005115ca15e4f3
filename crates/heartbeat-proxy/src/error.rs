//! The errors that the proxy reports to clients.

use std::error::Error;
use std::fmt;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use tower::timeout::error::Elapsed;

use crate::connect::ConnectError;
use crate::error_chain::chain;
use crate::retry::SendError;

/// Why the proxy responds itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyError {
    TooManyRequests,
    TooManyUpstreamConnections,
    ConnectRejected,
    AmbiguousTarget,
    /// The path of the upstream URL and the request path together exceed the maximum of a URI.
    TargetTooLong,
    UnsupportedTransferCoding,
    WebSocketOverHttp2,
    RequestAborted,
    Unreachable,
    ConnectTimeout,
    /// The upstream closed the connection, or its response head is not HTTP or contradictory.
    UpstreamReset,
    ResponseHeadTooLarge,
    UnexpectedTransferCoding,
    ResponseTimeout,
    UnexpectedUpgrade,
}

impl ProxyError {
    /// Classifies an error of the HTTP client. `unread` is whether no part of the request body was read.
    pub(crate) fn from_send(error: &SendError, unread: bool) -> Self {
        let SendError::Failed(error) = error else { return Self::UpstreamReset };
        let caused_by = |what: fn(&(dyn Error + 'static)) -> bool| chain(error).any(what);
        let timeout = |cause: &(dyn Error + 'static)| cause.is::<Elapsed>();
        let request_body = |cause: &(dyn Error + 'static)| {
            // The only code of ours that the client calls is the body.
            cause.downcast_ref().is_some_and(hyper::Error::is_user)
        };
        let too_large = |cause: &(dyn Error + 'static)| {
            cause.downcast_ref().is_some_and(hyper::Error::is_parse_too_large)
        };
        let too_many = |cause: &(dyn Error + 'static)| {
            matches!(cause.downcast_ref(), Some(ConnectError::TooManyConnections))
        };
        match error.is_connect() {
            true if caused_by(too_many) => Self::TooManyUpstreamConnections,
            true if caused_by(timeout) => Self::ConnectTimeout,
            true => Self::Unreachable,
            false if !unread && caused_by(request_body) => Self::RequestAborted,
            false if caused_by(too_large) => Self::ResponseHeadTooLarge,
            false => Self::UpstreamReset,
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::TooManyRequests | Self::TooManyUpstreamConnections => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::ConnectRejected | Self::UnsupportedTransferCoding | Self::WebSocketOverHttp2 => {
                StatusCode::NOT_IMPLEMENTED
            }
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::AmbiguousTarget | Self::RequestAborted => StatusCode::BAD_REQUEST,
            Self::Unreachable
            | Self::UpstreamReset
            | Self::ResponseHeadTooLarge
            | Self::UnexpectedTransferCoding
            | Self::UnexpectedUpgrade => StatusCode::BAD_GATEWAY,
            Self::ConnectTimeout | Self::ResponseTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The response to a request with this content type.
    ///
    /// A gRPC client reads the status of a call from headers. From the status of HTTP it could only derive a code
    /// without a message. A Connect client uses the status of HTTP.
    pub(crate) fn response(self, content_type: Option<HeaderValue>) -> Response<Full<Bytes>> {
        let mut response = Response::default();
        let grpc = content_type.filter(|value| value.as_bytes().starts_with(b"application/grpc"));
        if let (Some(content_type), true) = (grpc, self.status().is_server_error()) {
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, content_type);
            headers.insert(GRPC_STATUS, self.grpc_status());
            headers.insert(GRPC_MESSAGE, HeaderValue::from_static(self.text()));
            return response;
        }
        *response.status_mut() = self.status();
        *response.body_mut() = Full::from(format!("{}: {self}\n", self.status()));
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, text);
        response
    }

    fn grpc_status(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::TooManyRequests | Self::TooManyUpstreamConnections => "8", // RESOURCE_EXHAUSTED
            _ => "14", // UNAVAILABLE, as gRPC maps 502 and 504
        })
    }

    fn text(self) -> &'static str {
        match self {
            Self::TooManyRequests => "too many open requests, retry later",
            Self::TooManyUpstreamConnections => "too many connections to the upstream, retry later",
            Self::ConnectRejected => "CONNECT is not supported by this reverse proxy",
            Self::AmbiguousTarget => {
                "ambiguous target: send one Host header, and a path or an absolute URI"
            }
            Self::TargetTooLong => "the path is too long",
            Self::UnsupportedTransferCoding => {
                "unsupported Transfer-Encoding: only chunked is supported"
            }
            Self::WebSocketOverHttp2 => "WebSocket is not supported over HTTP/2 to the upstream",
            Self::RequestAborted => "the request body ended early",
            Self::Unreachable => "cannot connect to the upstream",
            Self::ConnectTimeout => "timed out while connecting to the upstream",
            Self::UpstreamReset => {
                "the upstream closed the connection or sent an invalid response head"
            }
            Self::ResponseHeadTooLarge => {
                "the upstream sent a response head of more than 64 KiB or 1,000 lines"
            }
            Self::UnexpectedTransferCoding => "the upstream sent an unsupported Transfer-Encoding",
            Self::ResponseTimeout => "timed out while waiting for the upstream's response",
            Self::UnexpectedUpgrade => "the upstream switched protocols without a request",
        }
    }
}

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
