//! The runtimes that can drive the server: its listener, connections, tasks and timers.

mod async_std;
mod smol;

use clap::ValueEnum;

pub(crate) use async_std::AsyncStdListener;
pub(crate) use smol::SmolListener;

/// The runtime that drives a server. The server behaves alike on all of them.
///
/// # Example
///
/// ```
/// use clap::ValueEnum;
/// use heartbeat_gateway::runtime::RuntimeKind;
///
/// assert_eq!(RuntimeKind::from_str("async-std", false), Ok(RuntimeKind::AsyncStd)); // as the value of a flag
/// assert_eq!(RuntimeKind::AsyncStd.name(), "async-std");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum RuntimeKind {
    /// tokio, on all cores
    Tokio,
    /// smol's global executor, on one thread or `SMOL_THREADS` threads
    Smol,
    /// async-std's global executor, on all cores or `ASYNC_STD_THREAD_COUNT` threads
    AsyncStd,
}

impl RuntimeKind {
    /// All runtimes, in the order in which the demo shows them.
    pub const ALL: [Self; 3] = [Self::Tokio, Self::Smol, Self::AsyncStd];

    /// The name on the command line and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::Smol => "smol",
            Self::AsyncStd => "async-std",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr, TcpStream};
    use std::time::Duration;

    use heartbeat_proxy::http_server::ServerRuntime;
    use socket2::SockRef;

    use super::*;

    #[test]
    fn the_flag_and_the_name_are_equal() {
        assert_eq!(RuntimeKind::value_variants(), RuntimeKind::ALL);
        for runtime in RuntimeKind::ALL {
            let flag = runtime.to_possible_value().expect("no value is hidden");
            assert_eq!(flag.get_name(), runtime.name());
        }
    }

    async fn assert_configured<R: ServerRuntime>(socket: impl Fn(&R::Connection) -> SockRef<'_>) {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = R::bind(any_port).await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let _client = TcpStream::connect(address).expect("connects");
        let (connection, _) = listener.accept().await.expect("a client");
        let socket = socket(&connection);
        assert!(socket.tcp_nodelay().expect("a socket"));
        assert!(socket.keepalive().expect("a socket"));
        #[cfg(unix)]
        assert_eq!(socket.tcp_keepalive_time().expect("a socket"), Duration::from_secs(60));
    }

    #[tokio::test]
    async fn accepted_connections_are_configured() {
        assert_configured::<SmolListener>(|io| io.get_ref().into()).await;
        assert_configured::<AsyncStdListener>(|io| io.get_ref().into()).await;
    }
}
