use std::io;
use std::net::SocketAddr;

use async_std::net::{TcpListener, TcpStream};
use heartbeat_async_std::AsyncStdTimer;
use heartbeat_proxy::http_server::{ServerRuntime, configure_socket};
use smol_hyper::rt::{self, FuturesIo};

/// A listener of async-std.
#[derive(Debug)]
pub(crate) struct AsyncStdListener(TcpListener);

impl ServerRuntime for AsyncStdListener {
    type Connection = FuturesIo<TcpStream>;
    type Timer = AsyncStdTimer;

    async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    async fn accept(&self) -> io::Result<(Self::Connection, SocketAddr)> {
        let (connection, client) = self.0.accept().await?;
        configure_socket(&connection);
        Ok((FuturesIo::new(connection), client))
    }

    fn http_timer() -> impl hyper::rt::Timer + Send + Sync + 'static {
        rt::SmolTimer::new() // async-std uses the timer of async-io too
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(async_std::task::spawn(task));
    }
}
