//! The runtimes that can drive the server. What it does between the accept and the timer of a
//! heartbeat is then all theirs: listener, connections, tasks and alarms.

mod accept;
mod async_std;
mod http2;
mod smol;
mod tokio;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use heartbeat_async::Config;
use heartbeat_async_std::AsyncStdTimer;
use heartbeat_smol::SmolTimer;
use heartbeat_tokio::TokioTimer;

use crate::feed::Feed;
use crate::server::Gateway;

/// What drives a server. Each serves the same: gRPC without TLS.
///
/// # Example
///
/// ```
/// use clap::ValueEnum;
/// use heartbeat_gateway::runtime::Runtime;
///
/// assert_eq!(Runtime::from_str("async-std", false), Ok(Runtime::AsyncStd)); // as a flag's value
/// assert_eq!(Runtime::AsyncStd.name(), "async-std");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Runtime {
    /// tokio, with tonic's own server; the runtime is the caller's.
    Tokio,
    /// smol's global executor, with hyper's connections.
    Smol,
    /// async-std's global executor, with hyper's connections.
    AsyncStd,
}

impl Runtime {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Tokio, Self::Smol, Self::AsyncStd];

    /// How it is called, on the command line and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::Smol => "smol",
            Self::AsyncStd => "async-std",
        }
    }

    /// Listens on `address`, where port 0 stands for any free one. Clients may connect from now on,
    /// but wait until they are [served](Listener::serve).
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    ///
    /// # Panics
    ///
    /// With [`Runtime::Tokio`], outside a tokio runtime with I/O enabled.
    pub async fn listen(self, address: SocketAddr) -> io::Result<Listener> {
        Ok(Listener(match self {
            Self::Tokio => Bound::Tokio(::tokio::net::TcpListener::bind(address).await?),
            Self::Smol => Bound::Smol(::smol::net::TcpListener::bind(address).await?),
            Self::AsyncStd => Bound::AsyncStd(::async_std::net::TcpListener::bind(address).await?),
        }))
    }
}

/// A server that listens, and serves once it is told what.
#[derive(Debug)]
#[must_use = "clients wait until they are served"]
pub struct Listener(Bound);

#[derive(Debug)]
enum Bound {
    Tokio(::tokio::net::TcpListener),
    Smol(::smol::net::TcpListener),
    AsyncStd(::async_std::net::TcpListener),
}

impl Listener {
    /// Where clients connect to, with the port that was chosen.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.0 {
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
        match self.0 {
            Bound::Tokio(listener) => {
                let gateway = Gateway::new(feed, heartbeat, TokioTimer);
                tokio::serve(listener, gateway, pings, shutdown).await?;
            }
            Bound::Smol(listener) => {
                let gateway = Gateway::new(feed, heartbeat, SmolTimer);
                smol::serve(listener, gateway, pings, shutdown).await;
            }
            Bound::AsyncStd(listener) => {
                let gateway = Gateway::new(feed, heartbeat, AsyncStdTimer);
                async_std::serve(listener, gateway, pings, shutdown).await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_one_name() {
        assert_eq!(Runtime::value_variants(), Runtime::ALL);
        for runtime in Runtime::ALL {
            let flag = runtime.to_possible_value().expect("none is hidden");
            assert_eq!(flag.get_name(), runtime.name());
        }
    }
}
