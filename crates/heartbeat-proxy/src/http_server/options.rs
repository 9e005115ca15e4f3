use std::path::PathBuf;
use std::time::Duration;

/// TLS and limits of an [`HttpServer`](super::HttpServer).
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use heartbeat_proxy::http_server::ServerOptions;
///
/// let options = ServerOptions::new()
///     .with_max_connections(1000)
///     .with_idle_timeout(Duration::from_secs(30));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "options have no effect until a server uses them"]
pub struct ServerOptions {
    pub(super) tls: Option<TlsFiles>,
    pub(super) max_streams: u32,
    pub(super) max_connections: u32,
    pub(super) max_header_size: u32,
    pub(super) idle_timeout: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TlsFiles {
    pub(super) certificates: PathBuf,
    pub(super) private_key: PathBuf,
}

impl ServerOptions {
    /// The defaults, which each setter names.
    pub const fn new() -> Self {
        Self {
            tls: None,
            max_streams: 10_000,
            max_connections: 10_000,
            max_header_size: 32 * 1024,
            idle_timeout: Duration::from_secs(60),
        }
    }

    /// Serves over TLS with this certificate chain and this private key, both PEM files. Default: no TLS.
    ///
    /// The files are read when the server is made.
    pub fn with_tls(
        self,
        certificates: impl Into<PathBuf>,
        private_key: impl Into<PathBuf>,
    ) -> Self {
        let files = TlsFiles { certificates: certificates.into(), private_key: private_key.into() };
        Self { tls: Some(files), ..self }
    }

    /// Maximum number of open requests, including streaming responses. Default: 10,000.
    ///
    /// The server derives the number of HTTP/2 streams per connection from it. Rejecting requests beyond the
    /// maximum is the task of a [`StreamLimit`](super::StreamLimit).
    pub fn with_max_streams(self, max_streams: u32) -> Self {
        Self { max_streams, ..self }
    }

    /// Maximum number of open connections. Default: 10,000. Further clients wait to be accepted.
    pub fn with_max_connections(self, max_connections: u32) -> Self {
        Self { max_connections, ..self }
    }

    /// Maximum size of a request head, in bytes. Default: 32 KiB. A larger head gets status 431, as does a head of
    /// more than 1,000 lines over HTTP/1.1.
    pub fn with_max_header_size(self, bytes: u32) -> Self {
        Self { max_header_size: bytes, ..self }
    }

    /// Closes a connection that had no open request and was not written to for this long. Default: 60 s. Zero
    /// disables the timeout.
    ///
    /// The timeout also covers the TLS handshake and request heads that arrive slowly.
    pub fn with_idle_timeout(self, idle_timeout: Duration) -> Self {
        Self { idle_timeout, ..self }
    }

    /// Maximum number of open requests.
    #[must_use]
    pub const fn max_streams(&self) -> u32 {
        self.max_streams
    }

    /// Maximum number of open connections.
    #[must_use]
    pub const fn max_connections(&self) -> u32 {
        self.max_connections
    }

    /// Maximum size of a request head, in bytes.
    #[must_use]
    pub const fn max_header_size(&self) -> u32 {
        self.max_header_size
    }

    /// Time after which an idle connection is closed.
    #[must_use]
    pub const fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self::new()
    }
}
