use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time;

use super::connection::ProxiedConnection;
use super::stats::ProxyStats;
use super::traffic::ActivityRule;

#[cfg(test)]
mod tests;

/// Pause after a failed accept. Its reason, for example too many open files, usually lasts; without a pause the loop would
/// spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A TCP proxy that cuts connections without activity.
///
/// It forwards all bytes unchanged and with back-pressure. If one side closes its half, the proxy closes that direction
/// toward the other side, and the other direction continues. A cut drops both sockets without a message, as real proxies
/// do.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use heartbeat_gateway::idle_proxy::{ActivityRule, IdleProxy};
/// use tokio::io::AsyncReadExt;
/// use tokio::net::{TcpListener, TcpStream};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let any_port = ([127, 0, 0, 1], 0).into();
/// let server = TcpListener::bind(any_port).await?; // accepts, and sends nothing
/// let idle_cut = Duration::from_millis(50);
/// let proxy =
///     IdleProxy::bind(any_port, server.local_addr()?, idle_cut, ActivityRule::Data).await?;
/// let stats = proxy.stats();
///
/// let mut client = TcpStream::connect(proxy.local_addr()).await?;
/// tokio::select! {
///     () = proxy.run() => unreachable!("the future never completes"),
///     end = client.read_u8() => assert!(end.is_err()),
/// }
/// assert_eq!((stats.connections(), stats.cuts()), (1, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the proxy does nothing until it runs"]
pub struct IdleProxy {
    listener: TcpListener,
    local_addr: SocketAddr,
    upstream: SocketAddr,
    idle_cut: Duration,
    rule: ActivityRule,
    stats: Arc<ProxyStats>,
}

impl IdleProxy {
    /// Listens on `listen`; port 0 chooses a free port. Clients can connect from now on, and wait until the proxy runs. The
    /// proxy connects to `upstream` for each client.
    ///
    /// A connection is cut after `idle_cut` without activity as defined by `rule`: never earlier, and at most some
    /// milliseconds later. The time of activity is the time at which the proxy reads a byte; the timeout starts when the
    /// connection is accepted. Zero and durations beyond the range of the clock disable the cut.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O enabled.
    pub async fn bind(
        listen: SocketAddr,
        upstream: SocketAddr,
        idle_cut: Duration,
        rule: ActivityRule,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let local_addr = listener.local_addr()?;
        Ok(Self { listener, local_addr, upstream, idle_cut, rule, stats: Arc::default() })
    }

    /// The address that clients connect to, including the chosen port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The counters. They outlive the proxy, and are complete once the future of [`run`](Self::run) has been dropped and all
    /// clients have been disconnected.
    #[must_use]
    pub fn stats(&self) -> Arc<ProxyStats> {
        Arc::clone(&self.stats)
    }

    /// Serves each client in a task. The future never completes.
    ///
    /// A client is disconnected if the upstream is unreachable. A failed accept is retried after a short pause.
    ///
    /// # Cancellation
    ///
    /// Dropping the future stops the proxy: it closes the listener and aborts all connections.
    ///
    /// # Panics
    ///
    /// In a tokio runtime without timers.
    pub async fn run(self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((client, _)) => {
                        self.stats.on_connection();
                        let connection = ProxiedConnection::new(self.idle_cut, self.rule, self.stats());
                        connections.spawn(connection.serve(client, self.upstream));
                    }
                    Err(_) => time::sleep(ACCEPT_PAUSE).await,
                },
                // A `JoinSet` keeps finished tasks until they are joined.
                Some(_) = connections.join_next() => {}
            }
        }
    }
}
