use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::{Either, Ready, ready as answered};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_layer::Layer;
use tower_service::Service;

use super::Guarded;

/// Answers no more than so many requests at once: a tower layer. A request counts until the body of its
/// response is dropped, so a stream counts for as long as it goes on.
///
/// What is beyond gets the answer of `refuse`, at once. How one says in each protocol that there are too
/// many, the service knows.
///
/// # Example
///
/// ```
/// use axum::body::Body;
/// use axum::http::{Response, StatusCode};
/// use axum::{Router, routing::get};
/// use heartbeat_gateway::front::StreamLimit;
///
/// let too_many = StreamLimit::new(100, |_| {
///     let mut response = Response::new(Body::from("too many streams: come back later\n"));
///     *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
///     response
/// });
/// let router: Router = Router::new().route("/", get(async || "some answer")).layer(too_many);
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct StreamLimit<R> {
    free: Arc<Semaphore>,
    refuse: R,
}

impl<R> StreamLimit<R> {
    /// Lets `count` requests through at once. Clones and the services that they make share the count.
    pub fn new<B>(count: u32, refuse: R) -> Self
    where
        R: Fn(&Parts) -> Response<B>,
    {
        Self { free: Arc::new(Semaphore::new(count as usize)), refuse }
    }
}

impl<R> fmt::Debug for StreamLimit<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamLimit").field("free", &self.free).finish_non_exhaustive()
    }
}

impl<S, R: Clone> Layer<S> for StreamLimit<R> {
    type Service = Limited<S, R>;

    fn layer(&self, inner: S) -> Limited<S, R> {
        Limited { inner, limit: self.clone() }
    }
}

/// A service that answers no more than so many requests at once.
#[derive(Debug, Clone)]
pub struct Limited<S, R> {
    inner: S,
    limit: StreamLimit<R>,
}

impl<S, R, B, RequestBody> Service<Request<RequestBody>> for Limited<S, R>
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    R: Fn(&Parts) -> Response<B>,
{
    type Response = Response<Guarded<B, Option<OwnedSemaphorePermit>>>;
    type Error = S::Error;
    type Future = LimitedFuture<S::Future, B, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let permit = Arc::clone(&self.limit.free).try_acquire_owned().ok();
        let response = if permit.is_some() {
            Either::Left(self.inner.call(request))
        } else {
            let (head, _) = request.into_parts();
            Either::Right(answered(Ok((self.limit.refuse)(&head))))
        };
        LimitedFuture { response, permit }
    }
}

pin_project! {
    /// The answer of a [`Limited`] service.
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
    type Output = Result<Response<Guarded<B, Option<OwnedSemaphorePermit>>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.response.poll(cx))?;
        Poll::Ready(Ok(response.map(|body| Guarded::new(body, this.permit.take()))))
    }
}

impl<F, B, E> fmt::Debug for LimitedFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitedFuture").field("permit", &self.permit).finish_non_exhaustive()
    }
}
