use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use heartbeat_async::Config;
use heartbeat_async_std::AsyncStdTimer;
use heartbeat_otel::OtelObserver;
use heartbeat_smol::SmolTimer;
use heartbeat_tokio::TokioTimer;

use super::{Runtime, async_std as on_async_std, smol as on_smol, tokio as on_tokio};
use crate::feed::Feed;
use crate::server::Gateway;

/// A server that listens, and serves once it is told what.
#[derive(Debug)]
#[must_use = "clients wait until they are served"]
pub struct Listener {
    bound: Bound,
    observer: Option<OtelObserver>,
}

#[derive(Debug)]
enum Bound {
    Tokio(tokio::net::TcpListener),
    Smol(smol::net::TcpListener),
    AsyncStd(async_std::net::TcpListener),
}

impl Listener {
    /// Listens on `address`, where port 0 stands for any free one. Clients may connect from now on,
    /// but wait until they are [served](Self::serve).
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    ///
    /// # Panics
    ///
    /// With [`Runtime::Tokio`], outside a tokio runtime with I/O enabled.
    pub async fn bind(runtime: Runtime, address: SocketAddr) -> io::Result<Self> {
        let bound = match runtime {
            Runtime::Tokio => Bound::Tokio(tokio::net::TcpListener::bind(address).await?),
            Runtime::Smol => Bound::Smol(smol::net::TcpListener::bind(address).await?),
            Runtime::AsyncStd => Bound::AsyncStd(async_std::net::TcpListener::bind(address).await?),
        };
        Ok(Self { bound, observer: None })
    }

    /// Tells `observer` of each stream (T19). Without one nothing is measured.
    pub fn observe(self, observer: Option<OtelObserver>) -> Self {
        Self { observer, ..self }
    }

    /// Where clients connect to, with the port that was chosen.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.bound {
            Bound::Tokio(listener) => listener.local_addr(),
            Bound::Smol(listener) => listener.local_addr(),
            Bound::AsyncStd(listener) => listener.local_addr(),
        }
    }

    /// Serves `feed` to gRPC clients, with a heartbeat in each silence that `heartbeat` describes,
    /// until `shutdown` is ready and all streams have ended. With `pings`, the server also sends
    /// HTTP/2 PINGs that often.
    ///
    /// From the shutdown on no stream is accepted. Those that are open go on: whoever asks for the
    /// shutdown [closes the feed](Feed::close), too, to end them.
    ///
    /// An accept that fails is logged and tried again after a short pause.
    ///
    /// # Errors
    ///
    /// If tonic's server breaks down. The others have nothing that could.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the listener; connections end with their streams.
    ///
    /// # Panics
    ///
    /// With [`Runtime::Tokio`], outside a tokio runtime with I/O and time enabled. With the others
    /// the future may be polled anywhere: it only waits for tasks of its runtime's.
    pub async fn serve(
        self,
        feed: Feed,
        heartbeat: Config,
        pings: Option<Duration>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        match self.bound {
            Bound::Tokio(listener) => {
                let gateway = Gateway::new(feed, heartbeat, TokioTimer).observe(self.observer);
                on_tokio::serve(listener, gateway, pings, shutdown).await?;
            }
            Bound::Smol(listener) => {
                let gateway = Gateway::new(feed, heartbeat, SmolTimer).observe(self.observer);
                on_smol::serve(listener, gateway, pings, shutdown).await;
            }
            Bound::AsyncStd(listener) => {
                let gateway = Gateway::new(feed, heartbeat, AsyncStdTimer).observe(self.observer);
                on_async_std::serve(listener, gateway, pings, shutdown).await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future;
    use std::net::Ipv4Addr;

    use tokio::net::TcpStream;
    use tokio::time::{sleep, timeout};

    use super::*;

    #[tokio::test]
    async fn dropping_the_future_closes_the_listener() {
        for runtime in Runtime::ALL {
            let any_port = (Ipv4Addr::LOCALHOST, 0).into();
            let listener = Listener::bind(runtime, any_port).await.expect("a port");
            let address = listener.local_addr().expect("bound");
            let heartbeat = Config::every(Duration::from_secs(1));
            let serving = listener.serve(Feed::new(1), heartbeat, None, future::pending());
            let cut_short = timeout(Duration::from_millis(50), serving).await;
            assert!(cut_short.is_err(), "{runtime:?} serves until it is dropped");

            let refused = async {
                while TcpStream::connect(address).await.is_ok() {
                    sleep(Duration::from_millis(10)).await;
                }
            };
            let refused = timeout(Duration::from_secs(5), refused).await;
            assert!(refused.is_ok(), "{runtime:?} listens for ever");
        }
    }
}
