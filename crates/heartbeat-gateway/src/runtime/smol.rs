use std::io;
use std::net::SocketAddr;

use heartbeat_proxy::http_server::{ServerRuntime, configure_socket};
use heartbeat_smol::SmolTimer;
use smol::net::{TcpListener, TcpStream};
use smol_hyper::rt::{self, FuturesIo};

/// A listener of smol.
#[derive(Debug)]
pub(crate) struct SmolListener(TcpListener);

impl ServerRuntime for SmolListener {
    type Connection = FuturesIo<TcpStream>;
    type Timer = SmolTimer;

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
        rt::SmolTimer::new()
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }
}
