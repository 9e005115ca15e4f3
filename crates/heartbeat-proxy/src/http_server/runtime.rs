use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Instant;

use heartbeat_async::Timer;
use hyper::rt::{Executor, Read, Write};

/// The listener, tasks and timers of an async runtime, for an [`HttpServer`](super::HttpServer).
///
/// It is implemented for tokio's `TcpListener`. For another runtime implement it for a newtype around that
/// runtime's listener.
pub trait ServerRuntime: Send + Sync + Sized + 'static {
    /// An accepted connection.
    type Connection: Read + Write + Unpin + Send + 'static;

    /// The clock and the sleeps of the runtime.
    type Timer: Timer<Instant = Instant, Sleep: Send>
        + Default
        + Clone
        + Send
        + Sync
        + Unpin
        + 'static;

    /// Listens on `address`; port 0 chooses a free port.
    fn bind(address: SocketAddr) -> impl Future<Output = io::Result<Self>> + Send;

    /// The address that the listener is bound to.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// Accepts a connection and applies [`configure_socket`](super::configure_socket) to it. Returns it with the
    /// address of the client.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Connection, SocketAddr)>> + Send;

    /// Completes when the client has closed its sending half, even if bytes from it are still unread. With TLS, the close
    /// of the TCP connection counts. The future must not keep the connection open after it is dropped.
    ///
    /// The default implementation never completes: a client that disconnects while bytes from it are unread, for example
    /// those of a second request, is then detected only when a write fails. The implementation for tokio completes on
    /// Linux and Android.
    fn read_closed(connection: &Self::Connection) -> impl Future<Output = ()> + Send + 'static {
        let _ = connection;
        std::future::pending()
    }

    /// The timer that hyper uses for HTTP/2 PINGs.
    fn http_timer() -> impl hyper::rt::Timer + Send + Sync + 'static;

    /// Spawns a detached task.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);
}

/// Spawns hyper's tasks on a [`ServerRuntime`].
#[derive(Debug)]
pub(super) struct RuntimeExecutor<R>(PhantomData<fn() -> R>);

impl<R> RuntimeExecutor<R> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R> Clone for RuntimeExecutor<R> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<R: ServerRuntime, F: Future<Output = ()> + Send + 'static> Executor<F> for RuntimeExecutor<R> {
    fn execute(&self, task: F) {
        R::spawn(task);
    }
}
