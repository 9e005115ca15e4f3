//! What a client is answered where the upstream's answer is missing.

use std::error::Error;
use std::fmt;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use hyper_util::client::legacy;
use tower::timeout::error::Elapsed;

use crate::causes::causes;

/// Why there is no answer of the upstream's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// There are too many requests at once.
    TooMany,
    /// The client wants a tunnel.
    Tunnel,
    /// It is not clear for whom the request is.
    Unclear,
    /// Path and prefix together are too long.
    TargetTooLong,
    /// The body of the request is in a coding that is not known.
    Coded,
    /// The client wants a WebSocket, of which HTTP/2 toward the upstream knows nothing.
    WebSocket,
    /// The request broke off.
    Request,
    /// There is no connection to the upstream.
    Unreachable,
    /// Nor was there one in time.
    NotReachedInTime,
    /// It hung up, or answered what is no HTTP or has too large a head.
    BrokenOff,
    /// Its answer is in a coding that nobody has asked for.
    CodedAnswer,
    /// It did not begin to answer in time.
    NotAnsweredInTime,
    /// It speaks another protocol now, for which nobody has asked.
    UnaskedUpgrade,
}

impl Failure {
    /// What an error of the client toward the upstream comes to.
    pub(super) fn of(error: &legacy::Error) -> Self {
        let caused_by = |what: fn(&(dyn Error + 'static)) -> bool| causes(error).any(what);
        let timeout = |cause: &(dyn Error + 'static)| cause.is::<Elapsed>();
        let upload = |cause: &(dyn Error + 'static)| {
            cause.downcast_ref().is_some_and(hyper::Error::is_user) // of us it uses the body alone
        };
        match error.is_connect() {
            true if caused_by(timeout) => Self::NotReachedInTime,
            true => Self::Unreachable,
            false if caused_by(upload) => Self::Request,
            false => Self::BrokenOff,
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::TooMany => StatusCode::SERVICE_UNAVAILABLE,
            Self::Tunnel | Self::Coded | Self::WebSocket => StatusCode::NOT_IMPLEMENTED,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::Unclear | Self::Request => StatusCode::BAD_REQUEST,
            Self::Unreachable | Self::BrokenOff | Self::CodedAnswer | Self::UnaskedUpgrade => {
                StatusCode::BAD_GATEWAY
            }
            Self::NotReachedInTime | Self::NotAnsweredInTime => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The answer to a request with that content type.
    ///
    /// A client of gRPC looks for the status of its call in headers, or else makes one up from HTTP's and
    /// has no message then. One of Connect is content with that.
    pub(super) fn answer(self, content_type: Option<HeaderValue>) -> Response<Full<Bytes>> {
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
            Self::TooMany => "8", // RESOURCE_EXHAUSTED
            _ => "14",            // UNAVAILABLE, as gRPC maps 502 and 504
        })
    }

    fn text(self) -> &'static str {
        match self {
            Self::TooMany => "too many requests at once: come back later",
            Self::Tunnel => "this is a reverse proxy, which makes no tunnels",
            Self::Unclear => "give one Host, and for a target a path or a whole URI",
            Self::TargetTooLong => "the path is too long",
            Self::Coded => "the only transfer coding that is known here is chunked",
            Self::WebSocket => {
                "no WebSocket passes to an upstream that is spoken to in HTTP/2: see --upstream-http2"
            }
            Self::Request => "the request broke off",
            Self::Unreachable => "the upstream cannot be reached",
            Self::NotReachedInTime => {
                "the upstream could not be reached in time: see --connect-timeout"
            }
            Self::BrokenOff => {
                "the upstream broke off, or its answer has no head that is HTTP and of a usual size"
            }
            Self::CodedAnswer => "the upstream answered in a transfer coding unasked",
            Self::NotAnsweredInTime => {
                "the upstream did not begin to answer in time: see --response-timeout"
            }
            Self::UnaskedUpgrade => "the upstream changed the protocol unasked",
        }
    }
}

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
