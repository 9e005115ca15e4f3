use std::io;

use tokio::runtime::Builder;

/// How many threads poll tasks, on each runtime.
const THREADS: usize = 2;

/// What smol's and async-std's executors, which are there for the whole process, are told by.
pub(crate) const ENVIRONMENT: [(&str, &str); 2] =
    [("SMOL_THREADS", "2"), ("ASYNC_STD_THREAD_COUNT", "2")];

/// Who polls the tasks.
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

    /// Does something where tasks can be spawned.
    pub(crate) fn within<R>(self, work: impl FnOnce() -> R) -> io::Result<R> {
        Ok(match self {
            Self::Tokio => {
                let mut builder = Builder::new_multi_thread();
                let runtime = builder.worker_threads(THREADS).enable_time().build()?;
                let _entered = runtime.enter();
                let done = work();
                runtime.shutdown_background();
                done
            }
            Self::Smol | Self::AsyncStd => work(),
        })
    }
}
