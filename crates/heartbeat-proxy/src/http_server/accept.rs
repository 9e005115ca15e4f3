use std::io;
use std::time::{Duration, Instant};

use heartbeat_async::Timer;
use socket2::{SockRef, TcpKeepalive};

use crate::transport::TCP_KEEPALIVE;

/// Pause after an accept that failed for a reason other than its peer. Such a reason, for example too many open
/// files, usually lasts; without a pause the loop would spin.
const PAUSE: Duration = Duration::from_millis(50);

/// Disables Nagle's algorithm and enables TCP keep-alive, for an implementation of
/// [`ServerRuntime::accept`](super::ServerRuntime::accept).
///
/// Errors are ignored: they occur if the client has disconnected, which the connection notices.
pub fn configure_socket<'s>(connection: impl Into<SockRef<'s>>) {
    let connection = connection.into();
    let (idle, interval, retries) = TCP_KEEPALIVE;
    let keepalive = TcpKeepalive::new().with_time(idle).with_interval(interval);
    let _ = connection.set_tcp_nodelay(true);
    let _ = connection.set_tcp_keepalive(&keepalive.with_retries(retries));
}

/// Accepts the next connection. A failed accept is logged and retried.
pub(super) async fn accept_next<C, T, F>(timer: &T, accept: impl Fn() -> F) -> C
where
    T: Timer<Instant = Instant>,
    F: Future<Output = io::Result<C>>,
{
    loop {
        match accept().await {
            Ok(connection) => return connection,
            Err(error) if is_of_peer(&error) => {
                tracing::debug!(%error, "client disconnected before it was accepted");
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection, retrying");
                timer.sleep_until(timer.now() + PAUSE).await;
            }
        }
    }
}

/// Whether the error concerns one peer only, so that the next accept can succeed at once.
fn is_of_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::ErrorKind;
    use std::net::{Ipv4Addr, TcpStream};

    use heartbeat_tokio::TokioTimer;
    use tokio::net::TcpListener;

    use super::*;
    use crate::http_server::ServerRuntime;

    #[tokio::test(start_paused = true)]
    async fn a_failed_accept_is_retried_after_a_pause() {
        let accepts = Cell::new(0);
        let accept = || async {
            accepts.set(accepts.get() + 1);
            match accepts.get() % 3 {
                0 => Ok(accepts.get()),
                1 => Err(ErrorKind::ConnectionAborted.into()),
                _ => Err(io::Error::other("too many open files")),
            }
        };
        let start = tokio::time::Instant::now();
        // Of the two failures before each connection one is of a peer, and retried at once.
        for (connection, millis) in [(3, 50), (6, 100), (9, 150)] {
            assert_eq!(accept_next(&TokioTimer, accept).await, connection);
            let elapsed = start.elapsed().as_millis();
            assert!((millis..millis + 10).contains(&elapsed), "{elapsed} ms");
        }
    }

    #[tokio::test]
    async fn an_accepted_connection_is_configured() {
        let listener = <TcpListener as ServerRuntime>::bind((Ipv4Addr::LOCALHOST, 0).into());
        let listener = listener.await.expect("a port");
        let _client = TcpStream::connect(listener.local_addr().expect("bound")).expect("connects");
        let (connection, _) = ServerRuntime::accept(&listener).await.expect("a client");
        let socket = SockRef::from(connection.inner().stream());
        assert!(socket.tcp_nodelay().expect("a socket"));
        assert!(socket.keepalive().expect("a socket"));
        #[cfg(unix)]
        assert_eq!(socket.tcp_keepalive_time().expect("a socket"), TCP_KEEPALIVE.0);
    }
}
