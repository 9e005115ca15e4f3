use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use heartbeat_async::{Audience, NoObserver, Scheduler};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::HeartbeatBody;

pin_project! {
    /// The body of a response that has come through a [`HeartbeatLayer`](crate::HeartbeatLayer): kept
    /// alive, or as it was.
    #[must_use = "bodies do nothing unless polled"]
    pub struct ResponseBody<B, P, O = NoObserver>
    where
        P: Scheduler,
        O: Audience,
    {
        #[pin]
        either: Either<B, P, O>,
    }
}

pin_project! {
    #[project = Projected]
    enum Either<B, P, O>
    where
        P: Scheduler,
        O: Audience,
    {
        KeptAlive { #[pin] body: HeartbeatBody<B, P, O> },
        Untouched { #[pin] body: B },
    }
}

impl<B: Default, P: Scheduler, O: Audience> Default for ResponseBody<B, P, O> {
    /// As it was: for layers that answer by themselves, such as those for CORS and time limits.
    fn default() -> Self {
        Self::untouched(B::default())
    }
}

impl<B, P, O> ResponseBody<B, P, O>
where
    P: Scheduler,
    O: Audience,
{
    pub(crate) fn kept_alive(body: HeartbeatBody<B, P, O>) -> Self {
        Self { either: Either::KeptAlive { body } }
    }

    pub(crate) fn untouched(body: B) -> Self {
        Self { either: Either::Untouched { body } }
    }

    /// Whether there may be heartbeats in it.
    pub fn is_kept_alive(&self) -> bool {
        matches!(self.either, Either::KeptAlive { .. })
    }
}

impl<B, P, O> Body for ResponseBody<B, P, O>
where
    B: Body<Data = Bytes>,
    P: Scheduler,
    O: Audience,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().either.project() {
            Projected::KeptAlive { body } => body.poll_frame(cx),
            Projected::Untouched { body } => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.either {
            Either::KeptAlive { body } => body.is_end_stream(),
            Either::Untouched { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.either {
            Either::KeptAlive { body } => body.size_hint(),
            Either::Untouched { body } => body.size_hint(),
        }
    }
}

impl<B, P, O> fmt::Debug for ResponseBody<B, P, O>
where
    P: Scheduler,
    O: Audience,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("is_kept_alive", &self.is_kept_alive())
            .finish_non_exhaustive()
    }
}
