use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::flags;

/// What can be set about the front door.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Connections")]
pub struct FrontOptions {
    /// Serve over TLS, with this certificate and those that lead to its root; PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key; PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// How many requests may be answered at once, streams included; more are refused
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT.max_streams, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_streams: u32,

    /// How many connections may be open at once; more wait to be accepted. Each is an open file to the
    /// system, which limits those too
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT.max_connections, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,

    /// How long the head of a request may be, with its headers; a longer one gets status 431, as does one
    /// of more than 1,000 lines over HTTP/1.1
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT.max_header_size, value_parser = clap::value_parser!(u32).range(8 * 1024..=1024 * 1024))]
    pub max_header_size: u32,

    /// Close a connection on which no request was under way for this long, however slowly one comes
    /// in, and nothing was written; 0s never does
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = flags::time, allow_hyphen_values = true)]
    pub idle_timeout: Duration,
}

/// What holds where no flag says otherwise.
const DEFAULT: FrontOptions = FrontOptions {
    tls_cert: None,
    tls_key: None,
    max_streams: 10_000,
    max_connections: 10_000,
    max_header_size: 32 * 1024,
    idle_timeout: Duration::from_secs(60),
};

impl Default for FrontOptions {
    fn default() -> Self {
        DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        front: FrontOptions,
    }

    #[test]
    fn without_flags_they_are_the_default() {
        assert_eq!(Command::parse_from([""]).front, FrontOptions::default());
    }
}
