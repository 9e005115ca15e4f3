use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use futures_core::stream::FusedStream;
use heartbeat_async::{Audience, Config, HeartbeatStream, MakeOk, NoObserver, Observer, Scheduler};
use heartbeat_frame::{Boundary, BoundaryTracker, Tracker};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::BodyFraming;
use crate::pieces::{Piece, PieceBeat, Pieces};

/// How many bytes may be left out.
const BYTE_ORDER_MARK: u64 = 3;

pin_project! {
    /// A body that yields a heartbeat whenever the body within has been silent for an interval.
    ///
    /// [`HeartbeatLayer`](crate::HeartbeatLayer) makes them; use it by itself where the layer does not
    /// reach. It is a [`HeartbeatStream`] over the frames of the body, and keeps the same rules.
    ///
    /// - A frame that is ready always goes first, and a heartbeat is made only when the body is polled
    ///   (T17). Frames pass as they are, without a copy of their bytes; what is known before they are
    ///   passed on is only where in a message they end.
    /// - A heartbeat stands where one message has ended and the next has not begun, and nowhere else.
    ///   After the trailers, or after what ends the stream of messages, there is none. Nor is there ever
    ///   again one once the bytes are not what the [`BodyFraming`] says: then they pass, and that is all.
    /// - An error is no send, and no heartbeat follows it (T17). The end of the body within is the end of
    ///   this one, which is not polled again.
    /// - Two things are left out: frames of data that hold no byte, and a byte order mark at the
    ///   beginning of a text that a heartbeat has got ahead of, where no client would skip it. Of one
    ///   that is cut off by the end of the body nothing is passed on either.
    /// - [`size_hint`](Body::size_hint) is never exact while there may be heartbeats.
    /// - With an interval of zero everything passes as it is, and no alarm is held (T1).
    ///
    /// # Cancellation
    ///
    /// Dropping the body drops its alarm. A heartbeat that was yielded, and after which nobody has
    /// polled again, counts as [`Outcome::Error`](heartbeat_async::Outcome::Error) (T16); on a hub the
    /// peer may have [stalled](Observer::on_stall) with it (T20).
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
        O: Audience,
    {
        #[pin]
        pieces: HeartbeatStream<Pieces<B>, MakeOk<PieceBeat>, P, O>,
    }
}

impl<B, P> HeartbeatBody<B, P>
where
    B: Body<Data = Bytes>,
    P: Scheduler,
{
    /// Wraps a body. Its silence begins now (T2).
    ///
    /// `config` is an interval or a whole [`Config`].
    pub fn new(body: B, scheduler: P, config: impl Into<Config>, framing: BodyFraming) -> Self {
        let (config, BodyFraming { heartbeat, tracker }) = (config.into(), framing);
        let pieces = Pieces { body, tracker: Some(tracker).filter(|_| !config.is_disabled()) };
        let beat = PieceBeat { heartbeat, fits: pieces.at_boundary() };
        Self { pieces: HeartbeatStream::new(pieces, scheduler, config, MakeOk::new(beat)) }
    }
}

impl<B, P, O> HeartbeatBody<B, P, O>
where
    B: Body<Data = Bytes>,
    P: Scheduler,
    O: Audience,
{
    /// Tells `observer` what becomes of the heartbeats from now on (T19).
    pub fn with_observer<Q: Audience>(self, observer: Q) -> HeartbeatBody<B, P, Q> {
        HeartbeatBody { pieces: self.pieces.with_observer(observer) }
    }

    /// Ends the heartbeats; the frames still pass. May be called again (T9).
    pub fn stop(self: Pin<&mut Self>) {
        let mut pieces = self.project().pieces;
        let tracker = pieces.as_mut().get_pin_mut().project().tracker;
        // Within a message it may hold the beginning of a byte order mark, which is to be given back.
        if tracker.as_ref().is_some_and(|tracker| tracker.boundary() != Boundary::InsideMessage) {
            *tracker = None;
        }
        pieces.stop();
    }

    /// The body within.
    pub fn get_ref(&self) -> &B {
        &self.pieces.get_ref().body
    }

    /// The body within. A frame taken from it here is none that the heartbeats know of: they may then
    /// stand within a message.
    pub fn get_mut(&mut self) -> &mut B {
        &mut self.pieces.get_mut().body
    }

    /// The body within. A frame taken from it here is none that the heartbeats know of: they may then
    /// stand within a message.
    #[must_use]
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut B> {
        self.project().pieces.get_pin_mut().project().body
    }

    /// The body within, without heartbeats. No frame is lost, but for the beginning of a byte order mark
    /// that a heartbeat has got ahead of; see [Cancellation](#cancellation).
    pub fn into_inner(self) -> B {
        self.pieces.into_inner().body
    }
}

impl<B, P, O> HeartbeatBody<B, P, O>
where
    P: Scheduler,
    O: Observer,
{
    /// The observer that was given to [`with_observer`](Self::with_observer).
    pub fn observer(&self) -> &O {
        self.pieces.observer()
    }
}

impl<B, P, O> Body for HeartbeatBody<B, P, O>
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
        let mut pieces = self.project().pieces;
        let data = match ready!(pieces.as_mut().poll_next(cx)) {
            Some(Ok(Piece::Data { bytes, .. })) => bytes,
            Some(Ok(Piece::Heartbeat(heartbeat))) => {
                pieces.get_pin_mut().on_heartbeat();
                heartbeat
            }
            Some(Ok(Piece::Other(frame))) => return not_data(frame),
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            None => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_terminated() || self.get_ref().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.pieces.is_terminated() {
            return SizeHint::with_exact(0);
        }
        let inner = self.get_ref().size_hint();
        if self.pieces.get_ref().tracker.is_none() {
            return inner;
        }
        let mark = match self.pieces.get_ref().tracker {
            Some(Tracker::Sse(_) | Tracker::Ndjson(_)) => BYTE_ORDER_MARK,
            _ => 0,
        };
        let mut hint = SizeHint::new(); // heartbeats have no bound
        hint.set_lower(inner.lower().saturating_sub(mark));
        hint
    }
}

/// Apart from the way of data, which then has no room for trailers.
#[cold]
#[inline(never)]
#[expect(clippy::boxed_local, reason = "unpacked by the caller it would be moved there")]
fn not_data<E>(frame: Box<Frame<Bytes>>) -> Poll<Option<Result<Frame<Bytes>, E>>> {
    Poll::Ready(Some(Ok(*frame)))
}

impl<B, P, O> fmt::Debug for HeartbeatBody<B, P, O>
where
    B: Body<Data = Bytes> + fmt::Debug,
    P: Scheduler,
    O: Audience,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatBody").field("inner", self.get_ref()).finish_non_exhaustive()
    }
}
