//! A connection to the upstream whose requests can find out whether it was used before and whether it is still open.

use std::future::pending;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::http::Extensions;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{CaptureConnection, Connected, Connection};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::sleep;

/// Time in which hyper reports the end of a connection to its requests.
const GRACE: Duration = Duration::from_secs(1);

/// A connection of the pool. The client gets its [`ConnectionState`] in the extensions of each response.
pub(crate) struct PooledIo<C> {
    io: C,
    state: ConnectionState,
    /// Closes the channel of the state.
    _open: watch::Sender<()>,
    _permit: OwnedSemaphorePermit,
}

/// The state of a connection, for its requests.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionState {
    responded: Arc<AtomicBool>,
    open: watch::Receiver<()>,
}

impl ConnectionState {
    fn of(connection: &Connected) -> Option<Self> {
        let mut extensions = Extensions::new();
        connection.get_extras(&mut extensions);
        extensions.remove()
    }

    /// Records a response on the connection that it came from.
    pub(crate) fn record_response(response: &Extensions) {
        if let Some(Self { responded, .. }) = response.get() {
            responded.store(true, Relaxed);
        }
    }

    /// Whether the upstream has responded on this connection.
    pub(crate) fn has_responded(connection: &Connected) -> bool {
        Self::of(connection).is_some_and(|state| state.responded.load(Relaxed))
    }

    /// Waits until the connection of a request has been closed for [`GRACE`].
    ///
    /// hyper loses a request that is passed to a connection just when the connection ends: it passes requests through a
    /// channel of tokio, whose receiver does not drop a message that is being sent.
    pub(crate) async fn closed(mut connection: CaptureConnection) {
        loop {
            let current =
                connection.wait_for_connection_metadata().await.as_ref().and_then(Self::of);
            let Some(mut current) = current else { return pending().await };
            while current.open.changed().await.is_ok() {}
            sleep(GRACE).await;
            let latest = connection.connection_metadata().as_ref().and_then(Self::of);
            if latest.is_some_and(|state| state.open.has_changed().is_err()) {
                return;
            }
        }
    }
}

impl<C> PooledIo<C> {
    /// Holds `permit` until the connection is closed, also after an upgrade.
    pub(crate) fn new(io: C, permit: OwnedSemaphorePermit) -> Self {
        let (open, receiver) = watch::channel(());
        let state = ConnectionState { responded: Arc::default(), open: receiver };
        Self { io, state, _open: open, _permit: permit }
    }
}

impl<C: Connection> Connection for PooledIo<C> {
    fn connected(&self) -> Connected {
        self.io.connected().extra(self.state.clone())
    }
}

impl<C: Read + Unpin> Read for PooledIo<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<C: Write + Unpin> Write for PooledIo<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
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
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }
}
