use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time;

use super::connection::Connection;
use super::stats::ProxyStats;
use super::traffic::IdleCounts;

#[cfg(test)]
mod tests;

/// How long to wait after an accept that failed. What makes it fail, such as too many open files,
/// mostly lasts, and an accept that fails at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A TCP proxy that cuts connections on which nothing counted for a given time.
///
/// All bytes are passed on unchanged and with back-pressure: what one side does not read is not
/// read from the other. Where one side ends its half, so does the proxy toward the other, and the
/// other half goes on. A cut drops both sockets without a word, as real proxies do.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use heartbeat_gateway::idle_proxy::{IdleCounts, IdleProxy};
/// use tokio::io::AsyncReadExt;
/// use tokio::net::{TcpListener, TcpStream};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let any_port = ([127, 0, 0, 1], 0).into();
/// let server = TcpListener::bind(any_port).await?; // accepts, and says nothing
/// let idle_cut = Duration::from_millis(50);
/// let proxy =
///     IdleProxy::bind(any_port, server.local_addr()?, idle_cut, IdleCounts::Data).await?;
/// let stats = proxy.stats();
///
/// let mut client = TcpStream::connect(proxy.local_addr()).await?;
/// tokio::select! {
///     () = proxy.run() => unreachable!("it runs until it is dropped"),
///     end = client.read_u8() => assert!(end.is_err()),
/// }
/// assert_eq!((stats.connections(), stats.cuts()), (1, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "clients are accepted once it is run"]
pub struct IdleProxy {
    listener: TcpListener,
    local_addr: SocketAddr,
    upstream: SocketAddr,
    idle_cut: Duration,
    counts: IdleCounts,
    stats: Arc<ProxyStats>,
}

impl IdleProxy {
    /// Listens on `listen`, where port 0 stands for any free one. Clients may connect from now on,
    /// but wait until the proxy is run. Whether there is an `upstream` shows when a client comes.
    ///
    /// A connection is cut once nothing counted for `idle_cut`, in the sense of `counts`: never
    /// before, and as soon after as the runtime's timer allows (some milliseconds). A byte counts
    /// when the proxy reads it, and the clock starts when the connection is accepted, before the
    /// upstream is reached. Zero never cuts, and neither does what is too long to represent.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime with I/O enabled.
    pub async fn bind(
        listen: SocketAddr,
        upstream: SocketAddr,
        idle_cut: Duration,
        counts: IdleCounts,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let local_addr = listener.local_addr()?;
        Ok(Self { listener, local_addr, upstream, idle_cut, counts, stats: Arc::default() })
    }

    /// Where clients connect to, with the port that was chosen.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The counters. They outlive the proxy, and are complete once [`run`](Self::run) was dropped
    /// and its clients have seen their end.
    #[must_use]
    pub fn stats(&self) -> Arc<ProxyStats> {
        Arc::clone(&self.stats)
    }

    /// Serves clients, each in a task of its own, and never ends by itself.
    ///
    /// A client whose upstream cannot be reached is dropped. An accept that fails is tried again
    /// after a short pause.
    ///
    /// # Cancellation
    ///
    /// Dropping the future is the way to stop: it closes the listener and aborts all connections.
    ///
    /// # Panics
    ///
    /// In a Tokio runtime without timers.
    pub async fn run(self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((client, _)) => {
                        self.stats.on_connection();
                        let connection = Connection::new(self.idle_cut, self.counts, self.stats());
                        connections.spawn(connection.serve(client, self.upstream));
                    }
                    Err(_) => time::sleep(ACCEPT_PAUSE).await,
                },
                // A set keeps its finished tasks until they are joined.
                Some(_) = connections.join_next() => {}
            }
        }
    }
}
