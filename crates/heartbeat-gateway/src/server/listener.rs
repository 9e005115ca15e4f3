use std::net::SocketAddr;
use std::time::Duration;

use heartbeat_async::Hub;

use super::Gateway;
use crate::front::{Front, FrontError, FrontOptions};
use crate::runtime::Runtime;
use crate::runtime::host::Host;

/// A server that listens, and serves once it is told what.
#[derive(Debug)]
#[must_use = "clients wait until they are served"]
pub struct Listener(Bound);

#[derive(Debug)]
enum Bound {
    Tokio(Front<tokio::net::TcpListener>),
    Smol(Front<smol::net::TcpListener>),
    AsyncStd(Front<async_std::net::TcpListener>),
}

/// Does the same with whichever front there is.
macro_rules! bound {
    ($bound:expr, $front:ident => $what:expr) => {
        match $bound {
            Bound::Tokio($front) => $what,
            Bound::Smol($front) => $what,
            Bound::AsyncStd($front) => $what,
        }
    };
}

impl Listener {
    /// Listens on `address`, where port 0 stands for any free one. Clients may connect from now on,
    /// but wait until they are [served](Self::serve).
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, or there is no TLS by the files of the options.
    ///
    /// # Panics
    ///
    /// With [`Runtime::Tokio`], outside a tokio runtime with I/O enabled.
    pub async fn bind(
        runtime: Runtime,
        address: SocketAddr,
        options: &FrontOptions,
    ) -> Result<Self, FrontError> {
        Ok(Self(match runtime {
            Runtime::Tokio => Bound::Tokio(Front::bind(address, options).await?),
            Runtime::Smol => Bound::Smol(Front::listen(address, options).await?),
            Runtime::AsyncStd => Bound::AsyncStd(Front::listen(address, options).await?),
        }))
    }

    /// Where clients connect to, with the port that was chosen.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        bound!(&self.0, front => front.local_addr())
    }

    /// Sends HTTP/2 PINGs this often, and closes a connection that does not answer them. Default: none.
    pub fn pings(self, every: Option<Duration>) -> Self {
        Self(match self.0 {
            Bound::Tokio(front) => Bound::Tokio(front.pings(every)),
            Bound::Smol(front) => Bound::Smol(front.pings(every)),
            Bound::AsyncStd(front) => Bound::AsyncStd(front.pings(every)),
        })
    }

    /// Serves the gateway until `shutdown` is ready and all connections have ended.
    ///
    /// From the shutdown on no stream is accepted. Those that are open go on: whoever asks for the
    /// shutdown [closes the feed](crate::feed::Feed::close), too, to end them.
    ///
    /// An accept that fails is logged and tried again after a short pause.
    ///
    /// Where there are heartbeats, a client of HTTP/1.1 may end its half of the connection and read on:
    /// they find out whether it is still there. Without them such an end is the client's goodbye.
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
        gateway: Gateway,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) {
        bound!(self.0, front => serve(front, gateway, shutdown).await);
    }
}

async fn serve<L: Host>(
    front: Front<L>,
    gateway: Gateway,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let timer = L::Timer::default();
    let (hub, task) = Hub::with_timer(timer.clone());
    L::spawn(task);
    let front = front.half_close(gateway.has_heartbeats());
    front.serve(gateway.service(timer, &hub), shutdown).await;
}

#[cfg(test)]
mod tests {
    use std::future;
    use std::net::Ipv4Addr;

    use heartbeat_async::Config;
    use tokio::net::TcpStream;
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::feed::Feed;

    #[tokio::test]
    async fn dropping_the_future_closes_the_listener() {
        for runtime in Runtime::ALL {
            let any_port = (Ipv4Addr::LOCALHOST, 0).into();
            let listener = Listener::bind(runtime, any_port, &FrontOptions::default()).await;
            let listener = listener.expect("a port");
            let address = listener.local_addr();
            let heartbeat = Config::every(Duration::from_secs(1));
            let serving = listener.serve(Gateway::new(Feed::new(1), heartbeat), future::pending());
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
