use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use heartbeat_async::Timer;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::server::TlsStream;

use super::activity::Activity;

/// A connection as the server reads and writes it, which counts as one until it is dropped; by whoever
/// has it then, after an upgrade.
pub(super) struct Io<C, T> {
    transport: Transport<C>,
    activity: Activity<T>,
    _connection: OwnedSemaphorePermit,
}

pub(super) enum Transport<C> {
    Plain(C),
    Tls(Box<TokioIo<TlsStream<TokioIo<C>>>>),
}

impl<C, T: Timer<Instant = Instant> + Clone> Io<C, T> {
    /// Tells `activity` of what is written.
    pub(super) fn new(
        transport: Transport<C>,
        activity: Activity<T>,
        connection: OwnedSemaphorePermit,
    ) -> Self {
        Self { transport, activity, _connection: connection }
    }

    fn written(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(1..)) = written {
            self.activity.on_write();
        }
        written
    }
}

/// Hands a call on to what there is.
macro_rules! transport {
    ($io:expr, $transport:ident => $call:expr) => {
        match &mut $io.get_mut().transport {
            Transport::Plain(plain) => {
                let $transport = Pin::new(plain);
                $call
            }
            Transport::Tls(tls) => {
                let $transport = Pin::new(tls.as_mut());
                $call
            }
        }
    };
}

impl<C: Read + Write + Unpin, T: Unpin> Read for Io<C, T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        transport!(self, transport => transport.poll_read(cx, buffer))
    }
}

impl<C, T> Write for Io<C, T>
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
        self.written(written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        transport!(self, transport => transport.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        transport!(self, transport => transport.poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(plain) => plain.is_write_vectored(),
            Transport::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written =
            transport!(self.as_mut(), transport => transport.poll_write_vectored(cx, slices));
        self.written(written)
    }
}
