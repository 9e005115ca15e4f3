//! gRPC on a runtime for which tonic has no server: hyper's connections, and tasks of the runtime.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{AsyncRead, AsyncWrite, FutureExt, Stream, StreamExt};
use hyper::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::{Service, service_fn};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use smol_hyper::rt::{FuturesIo, SmolTimer};
use tonic::transport::server::TcpConnectInfo;

use crate::proto::gateway_service_server::{GatewayService, GatewayServiceServer};

/// How a runtime starts a task that nobody waits for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spawn(pub(super) fn(BoxFuture<'static, ()>));

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Spawn {
    fn execute(&self, task: F) {
        (self.0)(task.boxed());
    }
}

/// Serves all who are `incoming` in tasks of a runtime, until `shutdown` is ready and all streams
/// have ended. The future itself only waits, and its drop stops the accepting.
pub(super) async fn serve<C>(
    service: impl GatewayService,
    incoming: impl Stream<Item = (C, SocketAddr)> + Send + 'static,
    spawn: Spawn,
    pings: Option<Duration>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let incoming = incoming.take_until(shutdown);
    let (serving, served) = serve_all(service, incoming, spawn, pings).remote_handle();
    spawn.execute(serving);
    served.await;
}

/// Serves all who are `incoming`, and waits until their connections have ended.
async fn serve_all<C>(
    service: impl GatewayService,
    incoming: impl Stream<Item = (C, SocketAddr)>,
    spawn: Spawn,
    pings: Option<Duration>,
) where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http2 = http2::Builder::new(spawn);
    // As tonic's own server: no limit to the streams of a connection.
    http2.timer(SmolTimer::new()).keep_alive_interval(pings).max_concurrent_streams(None);
    let grpc = TowerToHyperService::new(GatewayServiceServer::new(service));
    let graceful = GracefulShutdown::new();

    let mut incoming = Box::pin(incoming);
    while let Some((connection, client)) = incoming.next().await {
        let grpc = grpc.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let client = TcpConnectInfo { local_addr: None, remote_addr: Some(client) };
            request.extensions_mut().insert(client);
            grpc.call(request)
        });
        let connection = http2.serve_connection(FuturesIo::new(connection), service);
        let connection = graceful.watch(connection);
        spawn.execute(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%client, %error, "a connection failed");
            }
        });
    }
    drop(incoming); // and the listener with it: from now on clients are refused, not left waiting
    graceful.shutdown().await;
}
