//! A connection that can still be read after a write has failed.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::time::{Sleep, sleep};

/// Time to read a response that arrived before the write failed.
const GRACE: Duration = Duration::from_secs(1);

/// Delays write errors. A server may respond before it has read the whole request, and close the connection: hyper would
/// report the write error without reading the response.
pub(crate) struct DeferWriteError<C> {
    io: C,
    failed: Option<(io::Error, Pin<Box<Sleep>>)>,
}

impl<C: Unpin> DeferWriteError<C> {
    pub(crate) fn new(io: C) -> Self {
        Self { io, failed: None }
    }

    /// Writes. After a failed write it waits for [`GRACE`], and returns the error.
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

impl<C: Read + Unpin> Read for DeferWriteError<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<C: Write + Unpin> Write for DeferWriteError<C> {
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

impl<C: Connection> Connection for DeferWriteError<C> {
    fn connected(&self) -> Connected {
        self.io.connected()
    }
}
