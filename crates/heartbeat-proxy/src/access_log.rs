//! One log line per request, written once its response has ended.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::{Method, Request, Response};
use pin_project_lite::pin_project;
use tower::BoxError;

use crate::bodies::InnerBody;
use crate::error_chain;
use crate::http_server::Peer;
use crate::log_duration::LogDuration;

pin_project! {
    /// The response body of a [`Proxy`](crate::Proxy): the body of the upstream with heartbeats, or an error text of
    /// the proxy. When it is dropped, its request is logged.
    #[must_use = "bodies do nothing unless polled"]
    #[derive(Debug)]
    pub struct ProxyBody {
        #[pin]
        body: InnerBody,
        record: AccessRecord,
    }
}

impl ProxyBody {
    pub(crate) fn wrap(response: Response<InnerBody>, mut record: AccessRecord) -> Response<Self> {
        record.status = Some(response.status().as_u16());
        record.kept_alive = response.body().is_kept_alive();
        let empty = response.body().is_end_stream() || record.method == Method::HEAD;
        record.end = if empty { EndReason::Complete } else { EndReason::Dropped };
        response.map(|body| Self { body, record })
    }

    /// Whether the body can contain heartbeats.
    #[must_use]
    pub fn is_kept_alive(&self) -> bool {
        self.body.is_kept_alive()
    }
}

/// The data of a log line. Dropping the record writes the line.
#[derive(Debug)]
pub(crate) struct AccessRecord {
    peer: Option<Peer>,
    method: Method,
    path: String,
    since: Instant,
    /// `None` if the client disconnected before the response.
    status: Option<u16>,
    kept_alive: bool,
    bytes: u64,
    end: EndReason,
}

/// How a response or an upgraded connection ended.
#[derive(Debug)]
pub(crate) enum EndReason {
    /// The client disconnected, or the shutdown cut it off.
    Dropped,
    Complete,
    Failed(String),
}

impl EndReason {
    /// The log fields `end` and `error`.
    pub(crate) fn as_fields(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Dropped => ("dropped", None),
            Self::Complete => ("complete", None),
            Self::Failed(error) => ("failed", Some(error)),
        }
    }
}

impl AccessRecord {
    pub(crate) fn new<B>(request: &Request<B>) -> Self {
        Self {
            peer: request.extensions().get().copied(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(), // without the query, which may contain secrets
            since: Instant::now(),
            status: None,
            kept_alive: false,
            bytes: 0,
            end: EndReason::Dropped,
        }
    }
}

impl Drop for AccessRecord {
    fn drop(&mut self) {
        let Self { peer, method, path, since, status, kept_alive, bytes, end } = self;
        let client = peer.map(|peer| tracing::field::display(peer.address));
        let (end, error) = end.as_fields();
        let duration = LogDuration(since.elapsed());
        tracing::info!(
            client, %method, path, status, bytes, %duration, kept_alive, end, error,
            "answered"
        );
    }
}

impl Body for ProxyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
        this.record.bytes += data.map_or(0, |data| data.len() as u64);
        match &frame {
            Some(Err(error)) => {
                this.record.end = EndReason::Failed(error_chain::to_line(&**error));
            }
            _ if frame.is_none() || this.body.is_end_stream() => {
                this.record.end = EndReason::Complete;
            }
            _ => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
