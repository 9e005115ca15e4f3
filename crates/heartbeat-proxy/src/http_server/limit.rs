use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::{Either, Ready, ready as responded};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_layer::Layer;
use tower_service::Service;

use super::GuardedBody;

/// A tower layer that limits the number of open requests. A request is open until its response body is dropped, so
/// a streaming response counts until it ends.
///
/// A request beyond the limit gets the response of `reject` at once.
///
/// # Example
///
/// ```
/// use axum::body::Body;
/// use axum::http::{Response, StatusCode};
/// use axum::{Router, routing::get};
/// use heartbeat_proxy::http_server::StreamLimit;
///
/// let limit = StreamLimit::new(100, |_| {
///     let mut response = Response::new(Body::from("too many open streams, retry later\n"));
///     *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
///     response
/// });
/// let router: Router = Router::new().route("/", get(async || "response")).layer(limit);
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct StreamLimit<R> {
    permits: Arc<Semaphore>,
    reject: R,
}

impl<R> StreamLimit<R> {
    /// Limits the number of open requests to `max_streams`. Clones and their services share the limit.
    pub fn new<B>(max_streams: u32, reject: R) -> Self
    where
        R: Fn(&Parts) -> Response<B>,
    {
        Self { permits: Arc::new(Semaphore::new(max_streams as usize)), reject }
    }
}

impl<R> fmt::Debug for StreamLimit<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamLimit").field("permits", &self.permits).finish_non_exhaustive()
    }
}

impl<S, R: Clone> Layer<S> for StreamLimit<R> {
    type Service = LimitedService<S, R>;

    fn layer(&self, inner: S) -> LimitedService<S, R> {
        LimitedService { inner, limit: self.clone() }
    }
}

/// The service of a [`StreamLimit`].
#[derive(Debug, Clone)]
pub struct LimitedService<S, R> {
    inner: S,
    limit: StreamLimit<R>,
}

impl<S, R, B, RequestBody> Service<Request<RequestBody>> for LimitedService<S, R>
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    R: Fn(&Parts) -> Response<B>,
{
    type Response = Response<GuardedBody<B, Option<OwnedSemaphorePermit>>>;
    type Error = S::Error;
    type Future = LimitedFuture<S::Future, B, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let permit = Arc::clone(&self.limit.permits).try_acquire_owned().ok();
        let response = if permit.is_some() {
            Either::Left(self.inner.call(request))
        } else {
            let (head, _) = request.into_parts();
            Either::Right(responded(Ok((self.limit.reject)(&head))))
        };
        LimitedFuture { response, permit }
    }
}

pin_project! {
    /// The response future of a [`LimitedService`].
    #[must_use = "futures do nothing unless polled"]
    pub struct LimitedFuture<F, B, E> {
        #[pin]
        response: Either<F, Ready<Result<Response<B>, E>>>,
        permit: Option<OwnedSemaphorePermit>,
    }
}

impl<F, B, E> Future for LimitedFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<GuardedBody<B, Option<OwnedSemaphorePermit>>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.response.poll(cx))?;
        Poll::Ready(Ok(response.map(|body| GuardedBody::new(body, this.permit.take()))))
    }
}

impl<F, B, E> fmt::Debug for LimitedFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitedFuture").field("permit", &self.permit).finish_non_exhaustive()
    }
}
