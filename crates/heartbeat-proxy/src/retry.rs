//! Which failed requests are sent again.

use std::error::Error;
use std::{fmt, io};

use hyper::body::Body;
use hyper::{HeaderMap, Method, Request, Uri};
use hyper_util::client::legacy;

use crate::bodies::RequestBody;
use crate::connect::ConnectError;
use crate::error_chain::chain;
use crate::pooled_io::ConnectionState;
use crate::progress::{ProgressBody, UnreadBody};

/// A copy of a request, to send it again. The body is taken back from the failed request.
pub(crate) struct RequestCopy {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: UnreadBody<RequestBody>,
}

impl RequestCopy {
    pub(crate) fn of(request: &Request<ProgressBody<RequestBody>>) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            body: request.body().unread(),
        }
    }

    /// The request, unless a part of its body was read.
    pub(crate) fn into_unread(self) -> Option<Request<ProgressBody<RequestBody>>> {
        let mut request = Request::new(self.body.take()?);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        Some(request)
    }
}

/// Why a request got no response.
#[derive(Debug)]
pub(crate) enum SendError {
    Failed(legacy::Error),
    /// The connection was closed without an error for the request.
    Lost,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Lost => f.write_str("the connection was closed"),
        }
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => error.source(),
            Self::Lost => None,
        }
    }
}

/// Whether a request that failed with `error`, and whose body was not read, may be sent again.
///
/// That is safe if the upstream has not processed the request. It is allowed for an idempotent request (RFC 9110,
/// section 9.2.2) without a body if its connection was used before: the server has probably closed the connection when
/// it became idle.
pub(crate) fn is_allowed<B: Body>(request: &Request<B>, error: &SendError) -> bool {
    let idempotent = request.method().is_idempotent() && request.body().is_end_stream();
    let SendError::Failed(error) = error else { return idempotent };
    let used = || error.connect_info().is_some_and(ConnectionState::has_responded);
    // hyper cancels the requests that wait for a connection which another request was opening. At the maximum number of
    // connections, a connection may have become usable meanwhile.
    let failed = |cause: &(dyn Error + 'static)| {
        matches!(cause.downcast_ref(), Some(ConnectError::Failed(_)))
    };
    let not_opened = error.is_connect() && !chain(error).any(failed);
    not_opened
        || chain(error).any(|cause| {
            is_unsent(cause)
                || is_going_away(cause)
                || is_refused(cause)
                || idempotent && (was_waiting(cause) || is_closed(cause) && used())
        })
}

/// Takes the connection of a failed request from the pool if it is closing. The pool itself notices that later.
pub(crate) fn discard_closing(error: &SendError) {
    let SendError::Failed(error) = error else { return };
    if let (Some(connection), true) = (error.connect_info(), chain(error).any(is_going_away)) {
        connection.poison();
    }
}

/// Whether hyper has not begun to send the request.
fn is_unsent(error: &(dyn Error + 'static)) -> bool {
    let unsent = |error: &hyper::Error| error.is_canceled() || error.is_closed();
    error.downcast_ref().is_some_and(unsent)
}

/// Whether the upstream has sent a GOAWAY with a lower stream id. h2 reports a GOAWAY to no other streams.
fn is_going_away(error: &(dyn Error + 'static)) -> bool {
    let going_away = |error: &h2::Error| error.is_go_away() && error.is_remote();
    error.downcast_ref().is_some_and(going_away)
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let refused =
        |error: &h2::Error| error.is_remote() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    error.downcast_ref().is_some_and(refused)
}

/// Whether the connection ended while the request waited for a free stream. The stream may just have become free, so it
/// is not certain that the upstream has not seen the request.
fn was_waiting(error: &(dyn Error + 'static)) -> bool {
    // hyper attributes two errors to its user: this one, and one of the request body, which was not read here.
    error.downcast_ref().is_some_and(hyper::Error::is_user)
}

/// Whether the connection was closed before the response.
fn is_closed(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref().is_some_and(hyper::Error::is_incomplete_message) || error.is::<io::Error>()
}
