use std::io;
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use heartbeat_tokio::TokioTimer;
use hyper_util::rt::{self, TokioIo};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::accept::configure_socket;
use super::runtime::ServerRuntime;

impl ServerRuntime for TcpListener {
    type Connection = TokioIo<TcpConnection>;
    type Timer = TokioTimer;

    async fn bind(address: SocketAddr) -> io::Result<Self> {
        Self::bind(address).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    async fn accept(&self) -> io::Result<(Self::Connection, SocketAddr)> {
        let (connection, client) = self.accept().await?;
        configure_socket(&connection);
        Ok((TokioIo::new(TcpConnection::new(connection)), client))
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn read_closed(connection: &Self::Connection) -> impl Future<Output = ()> + Send + 'static {
        use tokio::io::Interest;

        let stream = Arc::clone(&connection.inner().write);
        async move {
            // Only the close makes the stream ready for this interest: its priority events are not registered.
            match stream.ready(Interest::PRIORITY).await {
                Ok(ready) if ready.is_read_closed() => {}
                _ => std::future::pending().await, // the runtime shuts down
            }
        }
    }

    fn http_timer() -> impl hyper::rt::Timer + Send + Sync + 'static {
        rt::TokioTimer::new()
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(task));
    }
}

/// A tokio `TcpStream` whose readiness can also be awaited while it is in use.
#[derive(Debug)]
pub struct TcpConnection {
    read: OwnedReadHalf,
    write: Arc<OwnedWriteHalf>,
}

impl TcpConnection {
    fn new(stream: TcpStream) -> Self {
        let (read, write) = stream.into_split();
        Self { read, write: Arc::new(write) }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        self.read.as_ref()
    }

    /// Calls `write` when the stream is writable, until it does not return `WouldBlock`.
    fn poll_write_io(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream().poll_write_ready(cx))?;
            match write(self.stream()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

impl AsyncRead for TcpConnection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().read).poll_read(cx, buffer)
    }
}

impl AsyncWrite for TcpConnection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_io(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_io(cx, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match SockRef::from(self.stream()).shutdown(Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            shutdown => shutdown,
        })
    }
}
