use clap::ValueEnum;

/// What drives a server. Each serves the same.
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
    /// All cores.
    Tokio,
    /// smol's global executor: one thread, or `SMOL_THREADS`.
    Smol,
    /// async-std's global executor: all cores, or `ASYNC_STD_THREAD_COUNT`.
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
