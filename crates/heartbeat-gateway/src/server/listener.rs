use std::net::SocketAddr;
use std::time::Duration;

use heartbeat_async::Hub;
use heartbeat_proxy::http_server::{HttpServer, ServerError, ServerOptions, ServerRuntime};
use tokio::net::TcpListener;

use super::Gateway;
use crate::runtime::{AsyncStdListener, RuntimeKind, SmolListener};

/// An HTTP server on one of the runtimes, which serves a [`Gateway`].
#[derive(Debug)]
#[must_use = "a listener does nothing until it serves"]
pub struct Listener(AnyServer);

#[derive(Debug)]
enum AnyServer {
    Tokio(HttpServer<TcpListener>),
    Smol(HttpServer<SmolListener>),
    AsyncStd(HttpServer<AsyncStdListener>),
}

/// Evaluates an expression with the server of any runtime.
macro_rules! with_server {
    ($any:expr, $server:ident => $expression:expr) => {
        match $any {
            AnyServer::Tokio($server) => $expression,
            AnyServer::Smol($server) => $expression,
            AnyServer::AsyncStd($server) => $expression,
        }
    };
}

impl Listener {
    /// Listens on `address`; port 0 chooses a free port. Clients can connect from now on, and wait until
    /// [`serve`](Self::serve) is called.
    ///
    /// # Errors
    ///
    /// If listening fails or the TLS files cannot be used.
    ///
    /// # Panics
    ///
    /// With [`RuntimeKind::Tokio`], outside a tokio runtime with I/O enabled.
    pub async fn bind(
        runtime: RuntimeKind,
        address: SocketAddr,
        options: &ServerOptions,
    ) -> Result<Self, ServerError> {
        Ok(Self(match runtime {
            RuntimeKind::Tokio => AnyServer::Tokio(HttpServer::bind_on(address, options).await?),
            RuntimeKind::Smol => AnyServer::Smol(HttpServer::bind_on(address, options).await?),
            RuntimeKind::AsyncStd => {
                AnyServer::AsyncStd(HttpServer::bind_on(address, options).await?)
            }
        }))
    }

    /// The address that clients connect to, including the chosen port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        with_server!(&self.0, server => server.local_addr())
    }

    /// Sends HTTP/2 PINGs at this interval, and closes a connection that does not answer them. Default: `None`.
    pub fn with_ping_interval(self, interval: Option<Duration>) -> Self {
        Self(match self.0 {
            AnyServer::Tokio(server) => AnyServer::Tokio(server.with_ping_interval(interval)),
            AnyServer::Smol(server) => AnyServer::Smol(server.with_ping_interval(interval)),
            AnyServer::AsyncStd(server) => AnyServer::AsyncStd(server.with_ping_interval(interval)),
        })
    }

    /// Serves the gateway until `shutdown` completes and all connections have closed.
    ///
    /// After the shutdown no connection is accepted. Open streams continue: [close the event
    /// log](crate::event_log::EventLog::close) to end them.
    ///
    /// A failed accept is logged and retried after a short pause.
    ///
    /// With heartbeats enabled, an HTTP/1.1 client may close its sending half and continue to read: heartbeats detect
    /// whether it is still connected. Without heartbeats the connection is closed then.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the listener. Connections close with their streams.
    ///
    /// # Panics
    ///
    /// With [`RuntimeKind::Tokio`], outside a tokio runtime with I/O and time enabled. With another runtime the future can
    /// be polled anywhere, since it only waits for tasks of that runtime.
    pub async fn serve(
        self,
        gateway: Gateway,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) {
        with_server!(self.0, server => serve(server, gateway, shutdown).await);
    }
}

async fn serve<R: ServerRuntime>(
    server: HttpServer<R>,
    gateway: Gateway,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let timer = R::Timer::default();
    let (hub, task) = Hub::with_timer(timer.clone());
    R::spawn(task);
    let server = server.with_half_close(gateway.has_heartbeats());
    server.serve(gateway.service(timer, &hub), shutdown).await;
}

#[cfg(test)]
mod tests {
    use std::future;
    use std::net::Ipv4Addr;

    use heartbeat_async::Config;
    use tokio::net::TcpStream;
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::event_log::EventLog;

    #[tokio::test]
    async fn dropping_the_future_closes_the_listener() {
        for runtime in RuntimeKind::ALL {
            let any_port = (Ipv4Addr::LOCALHOST, 0).into();
            let listener = Listener::bind(runtime, any_port, &ServerOptions::default()).await;
            let listener = listener.expect("a port");
            let address = listener.local_addr();
            let heartbeat = Config::every(Duration::from_secs(1));
            let gateway = Gateway::new(EventLog::new(1), heartbeat);
            let serving = listener.serve(gateway, future::pending());
            let dropped = timeout(Duration::from_millis(50), serving).await;
            assert!(dropped.is_err(), "{runtime:?} serves until the future is dropped");

            let refused = async {
                while TcpStream::connect(address).await.is_ok() {
                    sleep(Duration::from_millis(10)).await;
                }
            };
            let refused = timeout(Duration::from_secs(5), refused).await;
            assert!(refused.is_ok(), "{runtime:?} still listens");
        }
    }
}
