use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// An error while setting up an [`HttpServer`](super::HttpServer).
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// Listening on an address failed.
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A PEM file cannot be read, or does not contain the expected items.
    Pem {
        /// What the file must contain.
        expected: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with the file.
        source: tokio_rustls::rustls::pki_types::pem::Error,
    },
    /// Certificate and private key cannot be used for TLS.
    Tls(tokio_rustls::rustls::Error),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, .. } => write!(f, "cannot listen on {address}"),
            Self::Pem { expected, path, .. } => {
                write!(f, "cannot read {expected} from {} (PEM)", path.display())
            }
            Self::Tls(_) => f.write_str("cannot use the certificate and the private key for TLS"),
        }
    }
}

impl Error for ServerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Listen { source, .. } => Some(source),
            Self::Pem { source, .. } => Some(source),
            Self::Tls(source) => Some(source),
        }
    }
}
