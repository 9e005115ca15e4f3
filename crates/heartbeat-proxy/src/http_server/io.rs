use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use heartbeat_async::Timer;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::server::TlsStream;

use super::idle::IdleTracker;
use super::send_before_error::Written;

/// The byte stream of a connection. It holds the permit of its connection until it is dropped, also by an
/// upgraded protocol.
pub(super) struct ConnectionIo<C, T> {
    transport: MaybeTls<C>,
    idle: IdleTracker<T>,
    written: Written,
    _permit: OwnedSemaphorePermit,
}

pub(super) enum MaybeTls<C> {
    Plain(C),
    Tls(Box<TokioIo<TlsStream<TokioIo<C>>>>),
}

impl<C, T: Timer<Instant = Instant> + Clone> ConnectionIo<C, T> {
    /// Reports each write to `idle` and `written`.
    pub(super) fn new(
        transport: MaybeTls<C>,
        idle: IdleTracker<T>,
        written: Written,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { transport, idle, written, _permit: permit }
    }

    fn report(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.written.on_write();
        if let Poll::Ready(Ok(1..)) = written {
            self.idle.on_write();
        }
        written
    }
}

/// Calls a method of the plain or encrypted stream.
macro_rules! transport {
    ($io:expr, $transport:ident => $call:expr) => {
        match &mut $io.get_mut().transport {
            MaybeTls::Plain(plain) => {
                let $transport = Pin::new(plain);
                $call
            }
            MaybeTls::Tls(tls) => {
                let $transport = Pin::new(tls.as_mut());
                $call
            }
        }
    };
}

impl<C: Read + Write + Unpin, T: Unpin> Read for ConnectionIo<C, T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        transport!(self, transport => transport.poll_read(cx, buffer))
    }
}

impl<C, T> Write for ConnectionIo<C, T>
where
    C: Read + Write + Unpin,
    T: Timer<Instant = Instant> + Clone + Unpin,
{
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = transport!(self.as_mut(), transport => transport.poll_write(cx, bytes));
        self.report(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = transport!(self.as_mut(), transport => transport.poll_flush(cx));
        self.written.on_flush(&flushed);
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        transport!(self, transport => transport.poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            MaybeTls::Plain(plain) => plain.is_write_vectored(),
            MaybeTls::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written =
            transport!(self.as_mut(), transport => transport.poll_write_vectored(cx, slices));
        self.report(written)
    }
}
