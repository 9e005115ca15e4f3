//! A line in the log for each request, once it is over.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures_util::future::BoxFuture;
use heartbeat_http::ResponseBody;
use heartbeat_tokio::Hub;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::{Method, Request, Response};
use pin_project_lite::pin_project;
use tower::{BoxError, Service};

use crate::causes::in_one_line;
use crate::front::Peer;

/// Logs what becomes of the requests to a service whose responses are kept alive.
#[derive(Debug, Clone)]
pub(super) struct AccessLog<S>(pub(super) S);

impl<S, R, B, O> Service<Request<R>> for AccessLog<S>
where
    S: Service<Request<R>, Response = Response<ResponseBody<B, Hub, O>>>,
    S::Future: Send + 'static,
    B: Body<Data = Bytes, Error = BoxError>,
    O: heartbeat_async::Telemetry,
{
    type Response = Response<Logged<ResponseBody<B, Hub, O>>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        let mut line = Line::of(&request);
        let response = self.0.call(request);
        Box::pin(async move {
            let response = response.await?;
            line.status = Some(response.status().as_u16());
            line.kept_alive = response.body().is_kept_alive();
            let nothing = response.body().is_end_stream() || line.method == Method::HEAD;
            line.end = if nothing { End::Whole } else { End::Dropped };
            Ok(response.map(|body| Logged { body, line }))
        })
    }
}

pin_project! {
    /// A body that is logged once it is dropped, with what is known by then.
    #[derive(Debug)]
    #[must_use = "bodies do nothing unless polled"]
    pub(super) struct Logged<B> {
        #[pin]
        body: B,
        line: Line,
    }
}

/// What is known of a request. Dropped, it is written.
#[derive(Debug)]
struct Line {
    peer: Option<Peer>,
    method: Method,
    path: String,
    since: Instant,
    /// None before the response is there.
    status: Option<u16>,
    kept_alive: bool,
    bytes: u64,
    end: End,
}

/// How a response ended, or what followed it.
#[derive(Debug)]
pub(super) enum End {
    /// The client has gone, or was cut off.
    Dropped,
    /// With its last byte.
    Whole,
    /// By this error.
    Failed(String),
}

impl End {
    /// What the log calls it, and the error.
    pub(super) fn told(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Dropped => ("dropped", None),
            Self::Whole => ("whole", None),
            Self::Failed(error) => ("failed", Some(error)),
        }
    }
}

impl Line {
    fn of<R>(request: &Request<R>) -> Self {
        Self {
            peer: request.extensions().get().copied(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(), // without the query, which may hold secrets
            since: Instant::now(),
            status: None,
            kept_alive: false,
            bytes: 0,
            end: End::Dropped,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Self { peer, method, path, since, status, kept_alive, bytes, end } = self;
        let client = peer.map(|peer| tracing::field::display(peer.address));
        let (end, error) = end.told();
        tracing::info!(
            client, %method, path, status, bytes, duration = ?since.elapsed(), kept_alive, end, error,
            "answered"
        );
    }
}

impl<B> Body for Logged<B>
where
    B: Body<Data = Bytes, Error = BoxError>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
        this.line.bytes += data.map_or(0, |data| data.len() as u64);
        match &frame {
            Some(Err(error)) => this.line.end = End::Failed(in_one_line(&**error)),
            _ if frame.is_none() || this.body.is_end_stream() => this.line.end = End::Whole,
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
