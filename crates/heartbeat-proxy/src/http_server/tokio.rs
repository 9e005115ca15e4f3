use std::io;
use std::net::SocketAddr;

use heartbeat_tokio::TokioTimer;
use hyper_util::rt::{self, TokioIo};
use tokio::net::{TcpListener, TcpStream};

use super::accept::configure_socket;
use super::runtime::ServerRuntime;

impl ServerRuntime for TcpListener {
    type Connection = TokioIo<TcpStream>;
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
        Ok((TokioIo::new(connection), client))
    }

    fn http_timer() -> impl hyper::rt::Timer + Send + Sync + 'static {
        rt::TokioTimer::new()
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(task));
    }
}
