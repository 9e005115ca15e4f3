use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use heartbeat_async::{NoObserver, Scheduler, Telemetry};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::{HeartbeatBody, PassthroughReason};

pin_project! {
    /// The body of a response behind a [`HeartbeatLayer`](crate::HeartbeatLayer): kept alive, or passed through.
    ///
    /// An error of the inner body is returned one poll late: the first poll returns [`Poll::Pending`] and wakes the
    /// task. Otherwise hyper would discard what it has not sent yet, even the head of the response.
    #[must_use = "bodies do nothing unless polled"]
    pub struct ResponseBody<B, P, O = NoObserver>
    where
        B: Body,
        P: Scheduler,
        O: Telemetry,
    {
        #[pin]
        kind: Kind<B, P, O>,
        // The error of the inner body, until the next poll.
        error: Option<B::Error>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B, P, O>
    where
        P: Scheduler,
        O: Telemetry,
    {
        KeptAlive {
            #[pin]
            body: HeartbeatBody<B, P, O>,
            exists: Arc<()>,
        },
        Passthrough { #[pin] body: B, reason: Option<PassthroughReason> },
    }
}

impl<B: Body + Default, P: Scheduler, O: Telemetry> Default for ResponseBody<B, P, O> {
    /// A body that is passed through, for layers that answer themselves, such as those for CORS and time limits.
    fn default() -> Self {
        Self { kind: Kind::Passthrough { body: B::default(), reason: None }, error: None }
    }
}

impl<B, P, O> ResponseBody<B, P, O>
where
    B: Body,
    P: Scheduler,
    O: Telemetry,
{
    /// `exists` is dropped with the body.
    pub(crate) fn kept_alive(body: HeartbeatBody<B, P, O>, exists: Arc<()>) -> Self {
        Self { kind: Kind::KeptAlive { body, exists }, error: None }
    }

    pub(crate) fn passthrough(body: B, reason: PassthroughReason) -> Self {
        Self { kind: Kind::Passthrough { body, reason: Some(reason) }, error: None }
    }

    /// Whether the body may yield heartbeats.
    pub fn is_kept_alive(&self) -> bool {
        matches!(self.kind, Kind::KeptAlive { .. })
    }

    /// Why the body yields no heartbeats. `None` if it is kept alive, or was made by `default()`.
    pub fn passthrough_reason(&self) -> Option<PassthroughReason> {
        match self.kind {
            Kind::KeptAlive { .. } => None,
            Kind::Passthrough { reason, .. } => reason,
        }
    }
}

impl<B, P, O> Body for ResponseBody<B, P, O>
where
    B: Body<Data = Bytes>,
    P: Scheduler,
    O: Telemetry,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if let Some(error) = this.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let frame = match this.kind.project() {
            KindProjection::KeptAlive { body, .. } => body.poll_frame(cx),
            KindProjection::Passthrough { body, .. } => body.poll_frame(cx),
        };
        match frame {
            Poll::Ready(Some(Err(error))) => {
                *this.error = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            frame => frame,
        }
    }

    fn is_end_stream(&self) -> bool {
        let ended = match &self.kind {
            Kind::KeptAlive { body, .. } => body.is_end_stream(),
            Kind::Passthrough { body, .. } => body.is_end_stream(),
        };
        ended && self.error.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::KeptAlive { body, .. } => body.size_hint(),
            Kind::Passthrough { body, .. } => body.size_hint(),
        }
    }
}

impl<B, P, O> fmt::Debug for ResponseBody<B, P, O>
where
    B: Body,
    P: Scheduler,
    O: Telemetry,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("is_kept_alive", &self.is_kept_alive())
            .field("passthrough_reason", &self.passthrough_reason())
            .finish_non_exhaustive()
    }
}
