//! What the commands have in common that serve until they are told to stop.

use std::fmt;
use std::io::{self, Write};
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::front::FrontError;

/// Why the server does not serve.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// It cannot listen as it is to.
    Front(FrontError),
    /// The signals that end it cannot be heard.
    Signals(io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Front(error) => error.fmt(f),
            Self::Signals(_) => f.write_str("the signals to end cannot be heard"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Front(error) => error.source(),
            Self::Signals(error) => Some(error),
        }
    }
}

impl From<FrontError> for ServeError {
    fn from(error: FrontError) -> Self {
        Self::Front(error)
    }
}

/// Writes a line to standard output. The server serves whether or not anybody reads it.
pub(crate) fn announce(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// The signals that ask the process to end, caught from its making on.
pub(crate) struct Termination {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Termination {
    /// Serves until the process is asked to end. What serves then gets `within` to end what is under way,
    /// `what` in the log, unless it is asked once more; `stopping` is called first.
    ///
    /// `serve` is handed what is ready once it is to stop.
    pub(crate) async fn ends<S: Future<Output = ()>>(
        mut self,
        serve: impl FnOnce(BoxFuture<'static, ()>) -> S,
        stopping: impl FnOnce(),
        within: Duration,
        what: &'static str,
    ) {
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let mut served = pin!(serve(shutdown.boxed()));
        tokio::select! {
            () = &mut served => return, // not before it is told to stop
            signal = self.wait() => tracing::info!(signal, "ending all {what}"),
        }
        stopping();
        let _ = stop.send(()); // heard, unless the server has ended
        if self.lets_end(served, within).await {
            tracing::info!("all {what} have ended");
        } else {
            tracing::warn!(?within, "{what} were cut off");
        }
    }

    /// Waits for an end for so long, unless it is asked to end once more. Tells whether there was one.
    async fn lets_end(&mut self, end: impl Future<Output = ()>, within: Duration) -> bool {
        tokio::select! {
            ended = timeout(within, end) => ended.is_ok(),
            signal = self.wait() => {
                tracing::info!(signal, "ending at once");
                false
            }
        }
    }
}

#[cfg(unix)]
impl Termination {
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Ready once one of them has come, and tells which.
    async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

#[cfg(not(unix))]
impl Termination {
    #[expect(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Ready once Ctrl-C was pressed.
    async fn wait(&mut self) -> &'static str {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await; // it cannot be heard, and so never comes
        }
        "Ctrl-C"
    }
}
