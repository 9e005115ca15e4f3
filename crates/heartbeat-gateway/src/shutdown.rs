//! Signals and graceful shutdown of the commands that serve.

use std::fmt;
use std::io::{self, Write};
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heartbeat_proxy::http_server::ServerError;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// An error that keeps a command from serving.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// Setting up the server failed.
    Server(ServerError),
    /// Installing the signal handlers failed.
    Signals(io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => error.fmt(f),
            Self::Signals(_) => f.write_str("cannot install signal handlers"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Server(error) => error.source(),
            Self::Signals(error) => Some(error),
        }
    }
}

impl From<ServerError> for ServeError {
    fn from(error: ServerError) -> Self {
        Self::Server(error)
    }
}

/// Prints a line to standard output. Errors are ignored: the server also runs with a closed standard output.
pub(crate) fn print_line(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// The signals that stop the process. They are caught from the creation of this value on.
pub(crate) struct ShutdownSignals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    /// Ignored: without a handler it would end the process.
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl ShutdownSignals {
    /// Runs the server until a signal arrives. Then calls `stopping`, and gives the server `grace` to close its open
    /// `items` (a word for the log). A second signal closes them at once.
    ///
    /// `serve` gets the future that completes at the shutdown.
    pub(crate) async fn serve_until_signal<S: Future<Output = ()>>(
        mut self,
        serve: impl FnOnce(BoxFuture<'static, ()>) -> S,
        stopping: impl FnOnce(),
        grace: Duration,
        items: &'static str,
    ) {
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let mut served = pin!(serve(shutdown.boxed()));
        tokio::select! {
            () = &mut served => return, // not before the shutdown
            signal = self.wait() => tracing::info!(signal, "shutting down, closing all {items}"),
        }
        stopping();
        let _ = stop.send(()); // fails if the server has ended
        if self.drain(served, grace).await {
            tracing::info!("all {items} have ended");
        } else {
            tracing::warn!(?grace, "closing the remaining {items}");
        }
    }

    /// Waits for the end of the server, at most for `grace` or until another signal. Returns whether the server ended.
    async fn drain(&mut self, served: impl Future<Output = ()>, grace: Duration) -> bool {
        tokio::select! {
            ended = timeout(grace, served) => ended.is_ok(),
            signal = self.wait() => {
                tracing::info!(signal, "second signal");
                false
            }
        }
    }
}

#[cfg(unix)]
impl ShutdownSignals {
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal that stops the process, and returns its name.
    async fn wait(&mut self) -> &'static str {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return "SIGINT",
                _ = self.terminate.recv() => return "SIGTERM",
                Some(()) = self.hangup.recv() => {
                    tracing::info!("SIGHUP ignored: restart the process to change its options");
                }
            }
        }
    }
}

#[cfg(not(unix))]
impl ShutdownSignals {
    #[expect(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for Ctrl-C.
    async fn wait(&mut self) -> &'static str {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await; // without a handler there is no signal
        }
        "Ctrl-C"
    }
}
