use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use heartbeat_smol::SmolTimer;
use smol::net::{TcpListener, TcpStream};
use smol_hyper::rt::{self, FuturesIo};

use super::accept::{Accept, incoming};
use super::host::Host;
use super::http2::{self, Spawn};
use crate::server::Gateway;

/// Serves on smol's global executor until `shutdown` is ready and all streams have ended.
pub(super) async fn serve(
    listener: TcpListener,
    gateway: Gateway<SmolTimer>,
    pings: Option<Duration>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let incoming = incoming(listener, SmolTimer);
    let spawn = Spawn(|task| smol::spawn(task).detach());
    http2::serve(gateway, incoming, spawn, pings, shutdown).await;
}

impl Accept for TcpListener {
    type Connection = TcpStream;

    async fn accept_nodelay(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (connection, client) = self.accept().await?;
        let _ = connection.set_nodelay(true); // a peer that has gone is found out by its connection
        Ok((connection, client))
    }
}

impl Host for TcpListener {
    type Io = FuturesIo<TcpStream>;
    type Timer = SmolTimer;

    fn io(connection: TcpStream) -> Self::Io {
        FuturesIo::new(connection)
    }

    fn http_timer() -> impl hyper::rt::Timer + Send + Sync + 'static {
        rt::SmolTimer::new()
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }
}
