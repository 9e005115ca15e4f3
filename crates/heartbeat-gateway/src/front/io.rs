use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::server::TlsStream;

/// A connection as the server reads and writes it, which counts as one until it is dropped; by whoever
/// has it then, after an upgrade.
pub(super) struct Io<C> {
    transport: Transport<C>,
    _connection: OwnedSemaphorePermit,
}

pub(super) enum Transport<C> {
    Plain(C),
    Tls(Box<TokioIo<TlsStream<TokioIo<C>>>>),
}

impl<C> Io<C> {
    pub(super) fn new(transport: Transport<C>, connection: OwnedSemaphorePermit) -> Self {
        Self { transport, _connection: connection }
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

impl<C: Read + Write + Unpin> Read for Io<C> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        transport!(self, transport => transport.poll_read(cx, buffer))
    }
}

impl<C: Read + Write + Unpin> Write for Io<C> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        transport!(self, transport => transport.poll_write(cx, bytes))
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
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        transport!(self, transport => transport.poll_write_vectored(cx, slices))
    }
}
