//! A connection to the upstream that is read on though nothing can be written to it any more.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::time::{Sleep, sleep};

/// How long there is to read what has come before writing failed.
const GRACE: Duration = Duration::from_secs(1);

/// Tells of errors of writing only after a while. A server that has heard enough of a request answers and
/// closes: its answer is still to be read then, and `hyper` would not.
pub(super) struct ReadOn<C> {
    io: C,
    failed: Option<(io::Error, Pin<Box<Sleep>>)>,
}

impl<C: Unpin> ReadOn<C> {
    pub(super) fn new(io: C) -> Self {
        Self { io, failed: None }
    }

    /// Writes, unless that has failed: then it waits, and says so.
    fn write<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut C>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let (error, mut grace) = match self.failed.take() {
            Some(failed) => failed,
            None => match ready!(write(Pin::new(&mut self.io), cx)) {
                Ok(written) => return Poll::Ready(Ok(written)),
                Err(error) => (error, Box::pin(sleep(GRACE))),
            },
        };
        if grace.as_mut().poll(cx).is_pending() {
            self.failed = Some((error, grace));
            return Poll::Pending;
        }
        Poll::Ready(Err(error))
    }
}

impl<C: Read + Unpin> Read for ReadOn<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<C: Write + Unpin> Write for ReadOn<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |io, cx| io.poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write(cx, Write::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |io, cx| io.poll_write_vectored(cx, slices))
    }
}

impl<C: Connection> Connection for ReadOn<C> {
    fn connected(&self) -> Connected {
        self.io.connected()
    }
}
