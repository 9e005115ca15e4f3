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
use super::traffic::{IdleCounts, Side, Traffic};

/// How much is read at once, per direction. What is read is written before more is read, so that
/// a peer that does not read holds up the one that writes.
const BUFFER_BYTES: usize = 16 * 1024;

/// One connection: two directions that are copied, and an alarm that ends both.
///
/// All three run in one task, so the lock is never waited for. It is there because the task may
/// move between threads, and is not held across an await.
#[derive(Debug)]
pub(super) struct Connection {
    idle: Mutex<Idle>,
    stats: Arc<ProxyStats>,
}

#[derive(Debug)]
struct Idle {
    traffic: Traffic,
    watchdog: Watchdog<Instant>,
}

impl Connection {
    /// Starts the idle clock.
    pub(super) fn new(idle_cut: Duration, counts: IdleCounts, stats: Arc<ProxyStats>) -> Self {
        let watchdog = Watchdog::new(idle_cut, now());
        Self { idle: Mutex::new(Idle { traffic: Traffic::new(counts), watchdog }), stats }
    }

    /// Copies until both sides have ended, one of them fails, or the connection was idle for too
    /// long; that it takes long to connect is idleness, too. Both sockets are dropped with it.
    pub(super) async fn serve(self, client: TcpStream, upstream: SocketAddr) {
        tokio::select! {
            // Bytes that are there already go before an alarm that is due.
            biased;
            // How it ended is the peers' matter: both see it by their socket.
            _ = self.relay(client, upstream) => {}
            // Outside the task's budget: else a flood that does not count spends it all, and the
            // alarm does not fire (seen: a cut at 0.3 s came 0.5 s late).
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

    /// Copies one direction. At its end the other peer's is closed likewise, and only that.
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

    /// Touches no timer: the alarm learns of it when it fires.
    fn on_read(&self, side: Side, bytes: &[u8]) {
        self.stats.on_read(side, bytes.len());
        let mut idle = self.idle();
        if idle.traffic.on_read(side, bytes) {
            idle.watchdog.on_receive(now());
        }
    }

    /// Ready once nothing counted for too long. Re-arms at most once per `idle_cut`, however much
    /// traffic there is.
    async fn cut(&self) {
        loop {
            let action = self.idle().watchdog.poll_deadline(now());
            match action {
                WatchdogAction::WaitUntil(deadline) => time::sleep_until(deadline.into()).await,
                WatchdogAction::WaitForever | WatchdogAction::Stopped => future::pending().await,
                WatchdogAction::Expired => {
                    tracing::info!("the idle-cutting proxy cuts a connection");
                    return self.stats.on_cut(); // while the sockets are open
                }
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        // A panic elsewhere leaves nothing half done that could matter here.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tokio's clock, so that a paused one pauses the proxy, too.
fn now() -> Instant {
    time::Instant::now().into_std()
}
