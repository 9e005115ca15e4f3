use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why there is no front door.
#[derive(Debug)]
#[non_exhaustive]
pub enum FrontError {
    /// An address cannot be listened on.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not hold what TLS needs.
    Pem {
        /// What it was to hold.
        expected: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: tokio_rustls::rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not make a TLS server.
    Tls(tokio_rustls::rustls::Error),
}

impl fmt::Display for FrontError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, .. } => write!(f, "cannot listen on {address}"),
            Self::Pem { expected, path, .. } => {
                write!(f, "cannot read {expected} in PEM from {}", path.display())
            }
            Self::Tls(_) => f.write_str("certificate and key cannot be used for TLS"),
        }
    }
}

impl Error for FrontError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Listen { source, .. } => Some(source),
            Self::Pem { source, .. } => Some(source),
            Self::Tls(source) => Some(source),
        }
    }
}
