use std::io;

use tokio::runtime::Builder;

/// Threads of each runtime.
const THREADS: usize = 2;

/// Environment variables that configure the global executors of smol and async-std.
pub(crate) const ENVIRONMENT: [(&str, &str); 2] =
    [("SMOL_THREADS", "2"), ("ASYNC_STD_THREAD_COUNT", "2")];

/// The runtime that polls the tasks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Runtime {
    Tokio,
    Smol,
    AsyncStd,
}

impl Runtime {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::Smol => "smol",
            Self::AsyncStd => "async-std",
        }
    }

    /// Calls `work` in the context of the runtime.
    pub(crate) fn run<R>(self, work: impl FnOnce() -> R) -> io::Result<R> {
        Ok(match self {
            Self::Tokio => {
                let mut builder = Builder::new_multi_thread();
                let runtime = builder.worker_threads(THREADS).enable_time().build()?;
                let _entered = runtime.enter();
                let result = work();
                runtime.shutdown_background();
                result
            }
            Self::Smol | Self::AsyncStd => work(),
        })
    }
}
