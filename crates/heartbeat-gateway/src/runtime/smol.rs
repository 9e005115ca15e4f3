use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use heartbeat_smol::SmolTimer;
use smol::net::{TcpListener, TcpStream};

use super::accept::{Accept, incoming};
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
