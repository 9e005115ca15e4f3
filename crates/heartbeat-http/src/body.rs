use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use heartbeat_async::{
    Config, ItemKind, KeepAlive, NoObserver, Observed, Observer, Scheduler, Telemetry,
};
use heartbeat_frame::{Boundary, Content};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::BodyFraming;

/// The bytes of a byte order mark, which a heartbeat may cause to be left out.
const BYTE_ORDER_MARK_LEN: u64 = 3;

pin_project! {
    /// A body that yields a heartbeat whenever the inner body has been silent for an interval.
    ///
    /// [`HeartbeatLayer`](crate::HeartbeatLayer) makes these bodies. Use `HeartbeatBody` itself where there is no layer.
    /// It follows the same rules as a [`HeartbeatStream`](heartbeat_async::HeartbeatStream).
    ///
    /// - A frame that is ready always goes first, and a heartbeat is made only when the body is polled. Frames pass
    ///   without a copy of their bytes.
    /// - A heartbeat is inserted only between two messages. None follows the trailers or the message that ends the stream.
    ///   If the bytes violate the [`BodyFraming`], they pass, and no more heartbeats are sent.
    /// - No heartbeat follows an error. This body ends with the inner body, which is not polled again.
    /// - Empty data frames are dropped. So is a byte order mark after a heartbeat at the start of the body, because
    ///   clients skip the mark at the start only; if the body ends inside such a mark, its part is dropped, too.
    /// - [`size_hint`](Body::size_hint) is never exact while heartbeats may follow.
    /// - With an interval of zero frames pass as they are, and no sleep is held.
    ///
    /// # Cancellation
    ///
    /// Dropping the body drops its sleep. If the last frame was a heartbeat, and the body was not polled again, it is
    /// reported as [`Outcome::Error`](heartbeat_async::Outcome::Error); on a hub the peer may be reported as
    /// [stalled](Observer::on_stall).
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use heartbeat_async::virtual_time::VirtualTime;
    /// use heartbeat_frame::SseHeartbeat;
    /// use heartbeat_http::{BodyFraming, HeartbeatBody};
    /// use http_body_util::{BodyExt, StreamBody};
    ///
    /// let time = VirtualTime::new(); // with tokio: `TokioTimer`
    /// # type Frames = futures_util::stream::Pending<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>;
    /// # let events: Frames = futures_util::stream::pending();
    /// let quiet = StreamBody::new(events);
    /// let framing = BodyFraming::sse(&SseHeartbeat::default());
    /// let mut body = HeartbeatBody::new(quiet, time.clone(), Duration::from_secs(15), framing);
    ///
    /// time.block_on(async {
    ///     let frame = body.frame().await.expect("no end")?; // after 15 s
    ///     assert_eq!(frame.data_ref().map(|data| &data[..]), Some(&b":\n"[..]));
    /// #   Ok::<_, std::io::Error>(())
    /// })?;
    /// # Ok::<_, std::io::Error>(())
    /// ```
    #[must_use = "bodies do nothing unless polled"]
    pub struct HeartbeatBody<B, P, O = NoObserver>
    where
        P: Scheduler,
        O: Telemetry,
    {
        #[pin]
        inner: B,
        #[pin]
        keep_alive: KeepAlive<P, O>,
        // None where no heartbeat may follow any more: then frames pass unread.
        framing: Option<BodyFraming>,
    }
}

impl<B, P> HeartbeatBody<B, P>
where
    B: Body<Data = Bytes>,
    P: Scheduler,
{
    /// Wraps a body. Its silence begins now. `config` is an interval or a [`Config`].
    pub fn new(inner: B, scheduler: P, config: impl Into<Config>, framing: BodyFraming) -> Self {
        let config = config.into();
        let framing = Some(framing).filter(|_| !config.is_disabled());
        Self { inner, keep_alive: KeepAlive::new(scheduler, config), framing }
    }
}

impl<B, P, O> HeartbeatBody<B, P, O>
where
    B: Body<Data = Bytes>,
    P: Scheduler,
    O: Telemetry,
{
    /// Reports to `observer` from now on. See [T19](heartbeat_async::rules#t19-outcome).
    pub fn with_observer<N: Observer>(self, observer: N) -> HeartbeatBody<B, P, Observed<N>> {
        self.with_telemetry(Observed::new(observer))
    }

    pub(crate) fn with_telemetry<N: Telemetry>(self, telemetry: N) -> HeartbeatBody<B, P, N> {
        let Self { inner, keep_alive, framing } = self;
        HeartbeatBody { inner, keep_alive: keep_alive.with_telemetry(telemetry), framing }
    }

    /// Stops the heartbeats; frames still pass. May be called again. See [T9](heartbeat_async::rules#t9-stop).
    pub fn stop(self: Pin<&mut Self>) {
        let this = self.project();
        // Inside a message the tracker may hold the beginning of a byte order mark, which it still has to return.
        if this.framing.as_ref().is_some_and(|it| it.boundary() != Boundary::InsideMessage) {
            *this.framing = None;
        }
        this.keep_alive.stop();
    }

    /// The inner body.
    pub fn get_ref(&self) -> &B {
        &self.inner
    }

    /// The inner body. Frames polled through this reference do not reset the heartbeat timer, and heartbeats may then
    /// be inserted into a message.
    pub fn get_mut(&mut self) -> &mut B {
        &mut self.inner
    }

    /// The inner body. Frames polled through this reference do not reset the heartbeat timer, and heartbeats may then
    /// be inserted into a message.
    #[must_use]
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut B> {
        self.project().inner
    }

    /// The inner body, without heartbeats. No frame is lost, except the beginning of a byte order mark that follows
    /// a heartbeat.
    pub fn into_inner(self) -> B {
        self.inner
    }
}

impl<B, P, O> HeartbeatBody<B, P, Observed<O>>
where
    P: Scheduler,
    O: Observer,
{
    /// The observer that was given to [`with_observer`](Self::with_observer).
    pub fn observer(&self) -> &O {
        self.keep_alive.observer()
    }
}

impl<B, P, O> Body for HeartbeatBody<B, P, O>
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
        let mut this = self.project();
        if !this.keep_alive.as_mut().on_polled() {
            return Poll::Ready(None);
        }
        loop {
            let frame = match this.inner.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => frame,
                Poll::Ready(Some(Err(error))) => {
                    this.keep_alive.on_item(ItemKind::Error);
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => {
                    this.keep_alive.on_end();
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    let framing = this.framing.as_mut();
                    let at_boundary = framing.filter(|it| it.boundary() == Boundary::Open);
                    ready!(this.keep_alive.as_mut().poll_due(at_boundary.is_some(), cx));
                    let heartbeat = at_boundary.map(BodyFraming::insert_heartbeat);
                    let heartbeat = heartbeat.unwrap_or_default(); // none is due elsewhere
                    this.keep_alive.set_encoded_len(Some(heartbeat.len()));
                    return Poll::Ready(Some(Ok(Frame::data(heartbeat))));
                }
            };
            let mut data = match frame.into_data() {
                Ok(data) => data,
                Err(trailers) => {
                    *this.framing = None; // nothing may follow trailers
                    this.keep_alive.on_item(ItemKind::Event);
                    return Poll::Ready(Some(Ok(trailers)));
                }
            };
            let mut kind = ItemKind::Event;
            if let Some(framing) = this.framing {
                match framing.feed(&mut data) {
                    Content::Empty => continue, // nothing is sent, so nothing is reported
                    Content::NonEvent => kind = ItemKind::Heartbeat,
                    Content::Event => {}
                }
                if matches!(framing.boundary(), Boundary::EndOfStream | Boundary::Unknown) {
                    *this.framing = None;
                }
            }
            this.keep_alive.on_item(kind);
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.keep_alive.has_ended() || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.keep_alive.has_ended() {
            return SizeHint::with_exact(0);
        }
        let inner = self.inner.size_hint();
        let Some(framing) = &self.framing else { return inner };
        let left_out = if framing.is_text() { BYTE_ORDER_MARK_LEN } else { 0 };
        let mut hint = SizeHint::new(); // the number of heartbeats has no bound
        hint.set_lower(inner.lower().saturating_sub(left_out));
        hint
    }
}

impl<B, P, O> fmt::Debug for HeartbeatBody<B, P, O>
where
    B: Body<Data = Bytes> + fmt::Debug,
    P: Scheduler,
    O: Telemetry,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatBody").field("inner", &self.inner).finish_non_exhaustive()
    }
}
