use std::future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use heartbeat_core::{Watchdog, WatchdogAction};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time;

use super::stats::ProxyStats;
use super::traffic::{ActivityRule, Side, TrafficClassifier};

/// Buffer size per direction. A buffer is written before the next read, so that back-pressure passes through.
const BUFFER_BYTES: usize = 16 * 1024;

/// A proxied connection: two copy directions, and a timer that ends both.
///
/// All three run in one task, so the lock is never contended. It exists because the task can move between threads, and is
/// not held across an await.
#[derive(Debug)]
pub(super) struct ProxiedConnection {
    idle: Mutex<IdleState>,
    stats: Arc<ProxyStats>,
}

#[derive(Debug)]
struct IdleState {
    traffic: TrafficClassifier,
    watchdog: Watchdog<Instant>,
}

impl ProxiedConnection {
    /// Starts the idle timeout.
    pub(super) fn new(idle_cut: Duration, counts: ActivityRule, stats: Arc<ProxyStats>) -> Self {
        let watchdog = Watchdog::new(idle_cut, now());
        Self {
            idle: Mutex::new(IdleState { traffic: TrafficClassifier::new(counts), watchdog }),
            stats,
        }
    }

    /// Copies until both sides have ended, one fails, or the connection was idle for too long. The time to connect to the
    /// upstream counts as idle. Drops both sockets at the end.
    pub(super) async fn serve(self, client: TcpStream, upstream: SocketAddr) {
        tokio::select! {
            // Bytes that have arrived precede a timeout.
            biased;
            // Errors are ignored: the peers notice them at their sockets.
            _ = self.relay(client, upstream) => {}
            // Without the task's budget: a flood of bytes that do not count as activity would use it up, and delay the
            // timeout (0.5 s were observed).
            () = tokio::task::unconstrained(self.cut()) => {}
        }
    }

    async fn relay(&self, mut client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
        let mut server = TcpStream::connect(upstream).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;

        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::try_join!(
            self.copy(Side::Client, from_client, to_server),
            self.copy(Side::Server, from_server, to_client),
        )?;
        Ok(())
    }

    /// Copies one direction, and closes only that direction at its end.
    async fn copy(
        &self,
        side: Side,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return to.shutdown().await;
            }
            self.on_read(side, &buffer[..read]);
            to.write_all(&buffer[..read]).await?;
        }
    }

    /// Records activity. The timer is not reset: it checks the watchdog when it fires.
    fn on_read(&self, side: Side, bytes: &[u8]) {
        self.stats.on_read(side, bytes.len());
        let mut idle = self.idle();
        if idle.traffic.on_read(side, bytes) {
            idle.watchdog.on_receive(now());
        }
    }

    /// Waits until the connection was idle for too long. Arms at most one timer per `idle_cut`, regardless of the traffic.
    async fn cut(&self) {
        loop {
            let action = self.idle().watchdog.poll_deadline(now());
            match action {
                WatchdogAction::WaitUntil(deadline) => time::sleep_until(deadline.into()).await,
                WatchdogAction::WaitForever | WatchdogAction::Stopped => future::pending().await,
                WatchdogAction::Expired => {
                    tracing::info!("cutting an idle connection");
                    return self.stats.on_cut(); // while the sockets are open
                }
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, IdleState> {
        // No code under the lock panics.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// tokio's clock, so that pausing it pauses the proxy.
fn now() -> Instant {
    time::Instant::now().into_std()
}
