use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use heartbeat_proxy::http_server::ServerOptions;

use crate::duration_arg;

const DEFAULTS: ServerOptions = ServerOptions::new();

/// Flags for TLS and the limits of client connections.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionArgs {
    /// Serve over TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Use this private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Limit the number of open requests, streams included
    ///
    /// A further request is rejected with status 503 or `RESOURCE_EXHAUSTED`.
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULTS.max_streams(), value_parser = clap::value_parser!(u32).range(1..))]
    pub max_streams: u32,

    /// Limit the number of open connections
    ///
    /// Further clients wait to be accepted. Each connection is an open file, so the limit of the
    /// operating system (ulimit -n) applies too.
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULTS.max_connections(), value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,

    /// Limit the size of a request head
    ///
    /// A larger head gets status 431, as does a head of more than 1,000 lines over HTTP/1.1.
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULTS.max_header_size(), value_parser = clap::value_parser!(u32).range(8 * 1024..=1024 * 1024))]
    pub max_header_size: u32,

    /// Close a connection without requests and writes after this time
    ///
    /// A request whose head arrives slowly does not count as a request. 0s never closes.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub idle_timeout: Duration,
}

impl ConnectionArgs {
    /// The options for an HTTP server.
    pub(crate) fn server_options(&self) -> ServerOptions {
        let options = ServerOptions::new()
            .with_max_streams(self.max_streams)
            .with_max_connections(self.max_connections)
            .with_max_header_size(self.max_header_size)
            .with_idle_timeout(self.idle_timeout);
        match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => options.with_tls(cert, key),
            _ => options, // clap requires both
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct TestCommand {
        #[command(flatten)]
        connections: ConnectionArgs,
    }

    #[test]
    fn without_flags_the_options_are_the_defaults() {
        let command = TestCommand::parse_from([""]);
        assert_eq!(command.connections.server_options(), ServerOptions::default());
    }
}
