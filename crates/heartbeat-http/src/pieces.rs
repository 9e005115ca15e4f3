use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use heartbeat_async::{ItemKind, MakeHeartbeat};
use heartbeat_frame::{Boundary, BoundaryTracker, Content, Tracker};
use http_body::{Body, Frame};
use pin_project_lite::pin_project;

pin_project! {
    /// A body as a stream of its frames, each with what it means for the heartbeats.
    pub(crate) struct Pieces<B> {
        #[pin]
        pub(crate) body: B,
        // None where no heartbeat may stand any more: the frames pass, and that is all.
        pub(crate) tracker: Option<Tracker>,
    }
}

/// What a [`HeartbeatBody`](crate::HeartbeatBody) yields. Smaller than a frame, which has room for the
/// trailers: it is moved several times.
pub(crate) enum Piece {
    /// Data of the body within.
    Data {
        bytes: Bytes,
        kind: ItemKind,
        /// Whether a heartbeat may stand behind it.
        fits: bool,
    },
    /// Another frame, such as the trailers, behind which none may stand.
    Other(Box<Frame<Bytes>>),
    Heartbeat(Bytes),
}

impl<B> Pieces<B> {
    /// Whether a heartbeat may stand after what has passed by so far.
    pub(crate) fn at_boundary(&self) -> bool {
        self.tracker.as_ref().is_some_and(|tracker| tracker.boundary() == Boundary::Open)
    }

    /// A heartbeat was put in.
    pub(crate) fn on_heartbeat(self: Pin<&mut Self>) {
        if let Some(tracker) = self.project().tracker {
            tracker.on_heartbeat();
        }
    }
}

impl<B: Body<Data = Bytes>> Stream for Pieces<B> {
    type Item = Result<Piece, B::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        loop {
            let frame = match ready!(this.body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            };
            let mut bytes = match frame.into_data() {
                Ok(bytes) => bytes,
                Err(other) => {
                    *this.tracker = None; // nothing may follow trailers
                    return Poll::Ready(Some(Ok(Piece::Other(Box::new(other)))));
                }
            };
            let Some(tracker) = this.tracker else {
                return Poll::Ready(Some(Ok(Piece::Data {
                    bytes,
                    kind: ItemKind::Event,
                    fits: false,
                })));
            };
            let kind = match tracker.feed(&mut bytes) {
                Content::Empty => continue, // nothing goes out, so nobody is to hear of it
                Content::NonEvent => ItemKind::Heartbeat,
                Content::Event => ItemKind::Event,
            };
            let fits = match tracker.boundary() {
                Boundary::Open => true,
                Boundary::InsideMessage => false,
                Boundary::EndOfStream | Boundary::Unknown => {
                    *this.tracker = None; // for good: what comes is not even looked at
                    false
                }
            };
            return Poll::Ready(Some(Ok(Piece::Data { bytes, kind, fits })));
        }
    }
}

/// Makes the heartbeats of a body.
pub(crate) struct PieceBeat {
    pub(crate) heartbeat: Bytes,
    /// Whether one may stand behind the last frame.
    pub(crate) fits: bool,
}

impl MakeHeartbeat<Piece> for PieceBeat {
    fn make(&mut self) -> Piece {
        Piece::Heartbeat(self.heartbeat.clone())
    }

    fn classify(&mut self, piece: &Piece) -> ItemKind {
        match piece {
            Piece::Data { kind, fits, .. } => {
                self.fits = *fits;
                *kind
            }
            Piece::Other(_) => {
                self.fits = false;
                ItemKind::Event
            }
            Piece::Heartbeat(_) => ItemKind::Heartbeat,
        }
    }

    fn encoded_len(&mut self, _: &Piece) -> Option<usize> {
        Some(self.heartbeat.len())
    }

    fn at_boundary(&self) -> bool {
        self.fits
    }
}
