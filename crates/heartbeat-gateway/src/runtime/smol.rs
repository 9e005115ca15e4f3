use std::io;
use std::net::SocketAddr;

use heartbeat_smol::SmolTimer;
use smol::net::{TcpListener, TcpStream};
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
    type Timer = SmolTimer;

    async fn bind(address: SocketAddr) -> io::Result<Self> {
        Self::bind(address).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn http_timer() -> impl hyper::rt::Timer + Send + Sync + 'static {
        rt::SmolTimer::new()
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }
}
