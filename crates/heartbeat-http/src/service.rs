use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use heartbeat_async::{NoObserver, Scheduler, Telemetry};
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::decision::Decision;
use crate::layer::RoutedPolicies;
use crate::response_body::ResponseBody;

/// A service whose quiet responses are kept alive; made by [`HeartbeatLayer`](crate::HeartbeatLayer).
pub struct HeartbeatService<S, P, O = NoObserver> {
    inner: S,
    scheduler: P,
    policies: Arc<RoutedPolicies<O>>,
}

impl<S, P, O> HeartbeatService<S, P, O> {
    pub(crate) fn new(inner: S, scheduler: P, policies: Arc<RoutedPolicies<O>>) -> Self {
        Self { inner, scheduler, policies }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service, without heartbeats.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, P, O, RequestBody, B> Service<Request<RequestBody>> for HeartbeatService<S, P, O>
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    B: Body<Data = Bytes>,
    P: Scheduler + Clone,
    O: Telemetry + Clone,
{
    type Response = Response<ResponseBody<B, P, O>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, P, O>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let (head, body) = request.into_parts();
        let decision = Decision::new(self.policies.of(&head), &head);
        let inner = self.inner.call(Request::from_parts(head, body));
        ResponseFuture { inner, scheduler: self.scheduler.clone(), decision }
    }
}

impl<S: Clone, P: Clone, O> Clone for HeartbeatService<S, P, O> {
    fn clone(&self) -> Self {
        let (inner, scheduler) = (self.inner.clone(), self.scheduler.clone());
        Self { inner, scheduler, policies: Arc::clone(&self.policies) }
    }
}

impl<S: fmt::Debug, P, O> fmt::Debug for HeartbeatService<S, P, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatService")
            .field("inner", &self.inner)
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The response future of [`HeartbeatService`].
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, P, O = NoObserver> {
        #[pin]
        inner: F,
        scheduler: P,
        decision: Decision<O>,
    }
}

impl<F, P, O, B, E> Future for ResponseFuture<F, P, O>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
    P: Scheduler + Clone,
    O: Telemetry + Clone,
{
    type Output = Result<Response<ResponseBody<B, P, O>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        Poll::Ready(Ok(this.decision.apply(response, this.scheduler)))
    }
}

impl<F, P, O> fmt::Debug for ResponseFuture<F, P, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
