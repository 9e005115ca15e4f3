//! Delivers what was sent before an error.
//!
//! hyper discards what it has not written when the body of a response returns an error: the events before the error,
//! and the head. HTTP/2 discards what is queued for the stream. A [`SendBeforeError`] therefore returns an error only
//! once its connection has written everything that came before.

use std::cell::Cell;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use hyper::Version;
use hyper::body::{Body, Buf, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower::BoxError;

/// Maximum number of probes per connection. Clients that use h2 close a connection after 100 empty frames.
const MAX_PROBES: u32 = 50;

/// What a connection has written. Clones share the state.
///
/// hyper does not show what it has queued. But a poll of a connection writes as much as possible, and then flushes. So
/// if the last write operation of a poll is a flush that succeeds, all that was queued before that poll is written.
#[derive(Debug, Clone, Default)]
pub(super) struct Written(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The number of the current or last poll of the connection.
    poll: u64,
    /// Whether the last write operation of this poll is a flush that succeeded.
    flushed: bool,
    /// The last poll that has written everything.
    complete: u64,
    connection: Option<Waker>,
    bodies: Vec<Waker>,
    /// How many probes were sent.
    probes: u32,
}

impl Written {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls the connection.
    pub(super) fn poll_connection<F: Future>(
        &self,
        connection: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        let mut state = self.state();
        state.poll += 1;
        state.flushed = false;
        state.connection.get_or_insert_with(|| cx.waker().clone()).clone_from(cx.waker());
        drop(state);
        let polled = connection.poll(cx);
        let mut state = self.state();
        if state.flushed {
            state.complete = state.poll;
            let bodies = std::mem::take(&mut state.bodies);
            drop(state);
            bodies.into_iter().for_each(Waker::wake);
        }
        polled
    }

    /// Records a write.
    pub(super) fn on_write(&self) {
        self.state().flushed = false;
    }

    /// Records the result of a flush.
    pub(super) fn on_flush<E>(&self, flushed: &Poll<Result<(), E>>) {
        self.state().flushed = matches!(flushed, Poll::Ready(Ok(())));
    }

    /// Whether the connection may send a further probe.
    fn take_probe(&self) -> bool {
        let mut state = self.state();
        state.probes += 1;
        state.probes <= MAX_PROBES
    }

    /// Requests a poll of the connection, and returns its number.
    fn next_poll(&self) -> u64 {
        let state = self.state();
        let (next, connection) = (state.poll + 1, state.connection.clone());
        drop(state);
        if let Some(connection) = connection {
            connection.wake();
        }
        next
    }

    /// Waits until this or a later poll has written everything.
    fn poll_complete(&self, poll: u64, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.complete >= poll {
            return Poll::Ready(());
        }
        if !state.bodies.iter().any(|body| body.will_wake(cx.waker())) {
            state.bodies.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

pin_project! {
    /// A body that returns an error only once its connection has written all that came before.
    #[must_use = "bodies do nothing unless polled"]
    pub(super) struct SendBeforeError<B> {
        #[pin]
        body: B,
        written: Written,
        is_http2: bool,
        // Whether data may wait for the client's window.
        has_data: bool,
        error: Option<PendingError>,
    }
}

/// An error that waits.
struct PendingError {
    error: BoxError,
    /// The poll of the connection that has to write everything. `None` while data waits for the client's window.
    poll: Option<u64>,
}

impl<B> SendBeforeError<B> {
    pub(super) fn new(body: B, written: Written, version: Version) -> Self {
        let is_http2 = version == Version::HTTP_2;
        Self { body, written, is_http2, has_data: false, error: None }
    }
}

impl<B: Body<Error: Into<BoxError>>> Body for SendBeforeError<B> {
    type Data = Piece<B::Data>;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, BoxError>>> {
        let this = self.project();
        if this.error.is_none() {
            match ready!(this.body.poll_frame(cx)) {
                Some(Ok(frame)) => {
                    *this.has_data = true;
                    return Poll::Ready(Some(Ok(frame.map_data(Piece::Data))));
                }
                Some(Err(error)) => {
                    *this.error = Some(PendingError { error: error.into(), poll: None });
                    if *this.is_http2 && *this.has_data && this.written.take_probe() {
                        let probe = Piece::Probe(Cell::new(true));
                        return Poll::Ready(Some(Ok(Frame::data(probe))));
                    }
                }
                None => return Poll::Ready(None),
            }
        }
        let Some(pending) = this.error else { return Poll::Ready(None) };
        let poll = *pending.poll.get_or_insert_with(|| this.written.next_poll());
        ready!(this.written.poll_complete(poll, cx));
        Poll::Ready(this.error.take().map(|pending| Err(pending.error)))
    }

    fn is_end_stream(&self) -> bool {
        self.error.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A piece of a body.
pub(super) enum Piece<D> {
    Data(D),
    /// No data, but over HTTP/2 it waits until all data before it fits into the client's window: hyper reads the
    /// length, waits for a window of at least one byte, and only then sends the piece. So the length is 1 the first
    /// time, and then 0.
    Probe(Cell<bool>),
}

impl<D: Buf> Buf for Piece<D> {
    fn remaining(&self) -> usize {
        match self {
            Self::Data(data) => data.remaining(),
            Self::Probe(first) => usize::from(first.take()),
        }
    }

    fn chunk(&self) -> &[u8] {
        match self {
            Self::Data(data) => data.chunk(),
            Self::Probe(_) => &[],
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        match self {
            Self::Data(data) => data.chunks_vectored(slices),
            Self::Probe(_) => 0,
        }
    }

    fn advance(&mut self, count: usize) {
        if let Self::Data(data) = self {
            data.advance(count);
        }
    }
}
