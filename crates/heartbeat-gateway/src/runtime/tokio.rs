use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use heartbeat_tokio::TokioTimer;
use hyper_util::rt::{self, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::Server;

use super::accept::{Accept, incoming};
use super::host::Host;
use crate::proto::gateway_service_server::GatewayServiceServer;
use crate::server::Gateway;

/// Serves with tonic's own server until `shutdown` is ready and all streams have ended.
pub(super) async fn serve(
    listener: TcpListener,
    gateway: Gateway<TokioTimer>,
    pings: Option<Duration>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    // Not tonic's listener: it tries an accept that fails again at once.
    let incoming = incoming(listener, TokioTimer).map(|(connection, _)| io::Result::Ok(connection));
    Server::builder()
        .http2_keepalive_interval(pings)
        .add_service(GatewayServiceServer::new(gateway))
        .serve_with_incoming_shutdown(incoming, shutdown)
        .await
        .map_err(io::Error::other)
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
    type Io = TokioIo<TcpStream>;
    type Timer = TokioTimer;

    fn io(connection: TcpStream) -> Self::Io {
        TokioIo::new(connection)
    }

    fn http_timer() -> impl hyper::rt::Timer + Send + Sync + 'static {
        rt::TokioTimer::new()
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(task));
    }
}
