use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{Stream, stream};
use heartbeat_async::Timer;
use socket2::{SockRef, TcpKeepalive};

use crate::transport::LOOKED_AFTER;

/// How long to wait after an accept that failed for more than one peer. What makes it fail, such as
/// too many open files, mostly lasts, and an accept that fails at once would spin.
const PAUSE: Duration = Duration::from_millis(50);

/// The listener of a runtime.
pub(crate) trait Accept: Send + Sync + 'static {
    /// What it accepts.
    type Connection: Send + 'static;

    /// Waits for the next connection, and [`prepare`]s it. Tells who connects.
    fn accept_prepared(
        &self,
    ) -> impl Future<Output = io::Result<(Self::Connection, SocketAddr)>> + Send;
}

/// Lets a connection send without Nagle's delay, and has TCP look after its client. Where that cannot be
/// the client has gone, which is found out by the connection.
pub(super) fn prepare<'s>(connection: impl Into<SockRef<'s>>) {
    let connection = connection.into();
    let (idle, interval, retries) = LOOKED_AFTER;
    let keepalive = TcpKeepalive::new().with_time(idle).with_interval(interval);
    let _ = connection.set_tcp_nodelay(true);
    let _ = connection.set_tcp_keepalive(&keepalive.with_retries(retries));
}

/// The connections that `listener` accepts: a stream without end, however often an accept fails.
/// Dropping it closes the listener.
pub(crate) fn incoming<L, T>(
    listener: L,
    timer: T,
) -> impl Stream<Item = (L::Connection, SocketAddr)> + Send
where
    L: Accept,
    T: Timer<Instant = Instant, Sleep: Send> + Send + Sync,
{
    stream::unfold((listener, timer), async |(listener, timer)| {
        loop {
            match listener.accept_prepared().await {
                Ok(connection) => return Some((connection, (listener, timer))),
                Err(error) if concerns_one_peer(&error) => {
                    tracing::debug!(%error, "a client was gone before it was accepted");
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    timer.sleep_until(timer.now() + PAUSE).await;
                }
            }
        }
    })
}

/// Whether the next accept may do better at once.
fn concerns_one_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{Ipv4Addr, TcpStream};
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::StreamExt;
    use heartbeat_tokio::TokioTimer;

    use super::*;
    use crate::runtime::host::Host;

    /// Every third accept gives a connection: its number.
    #[derive(Default)]
    struct Troubled(AtomicU32);

    impl Accept for Troubled {
        type Connection = u32;

        async fn accept_prepared(&self) -> io::Result<(u32, SocketAddr)> {
            let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            match number % 3 {
                0 => Ok((number, (Ipv4Addr::LOCALHOST, 1).into())),
                1 => Err(ErrorKind::ConnectionAborted.into()),
                _ => Err(io::Error::other("too many open files")),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_accept_that_fails_is_tried_again_after_a_pause() {
        let mut incoming = pin!(incoming(Troubled::default(), TokioTimer));
        let start = tokio::time::Instant::now();
        // One of the two that fail before each is its own peer's fault.
        for (connection, millis) in [(3, 50), (6, 100), (9, 150)] {
            let (number, _) = incoming.next().await.expect("it has no end");
            assert_eq!(number, connection);
            let elapsed = start.elapsed().as_millis();
            assert!((millis..millis + 10).contains(&elapsed), "{elapsed} ms");
        }
    }

    async fn assert_prepared<L: Host>(socket: impl Fn(&L::Connection) -> SockRef<'_>) {
        let listener = L::bind((Ipv4Addr::LOCALHOST, 0).into()).await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let _client = TcpStream::connect(address).expect("it listens");
        let (connection, _) = listener.accept_prepared().await.expect("a client");
        let socket = socket(&connection);
        assert!(socket.tcp_nodelay().expect("a socket"));
        assert!(socket.keepalive().expect("a socket"));
        #[cfg(unix)]
        assert_eq!(socket.tcp_keepalive_time().expect("a socket"), LOOKED_AFTER.0);
    }

    #[tokio::test]
    async fn on_each_runtime_connections_are_prepared() {
        assert_prepared::<tokio::net::TcpListener>(|io| io.inner().into()).await;
        assert_prepared::<smol::net::TcpListener>(|io| io.get_ref().into()).await;
        assert_prepared::<async_std::net::TcpListener>(|io| io.get_ref().into()).await;
    }
}
