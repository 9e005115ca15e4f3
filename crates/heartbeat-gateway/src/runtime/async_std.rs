use std::io;
use std::net::SocketAddr;

use async_std::net::{TcpListener, TcpStream};
use async_std::task;
use heartbeat_async_std::AsyncStdTimer;
use smol_hyper::rt::{self, FuturesIo};

use super::accept::{Accept, prepare};
use super::host::Host;

impl Accept for TcpListener {
    type Connection = FuturesIo<TcpStream>;

    async fn accept_prepared(&self) -> io::Result<(Self::Connection, SocketAddr)> {
        let (connection, client) = self.accept().await?;
        prepare(&connection);
        Ok((FuturesIo::new(connection), client))
    }
}

impl Host for TcpListener {
    type Timer = AsyncStdTimer;

    async fn bind(address: SocketAddr) -> io::Result<Self> {
        Self::bind(address).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn http_timer() -> impl hyper::rt::Timer + Send + Sync + 'static {
        rt::SmolTimer::new() // async-io's, which is async-std's too
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(task::spawn(task));
    }
}
