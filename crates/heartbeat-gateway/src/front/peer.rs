use std::net::SocketAddr;

/// Who has sent a request: in the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Where the connection comes from.
    pub address: SocketAddr,
    /// Whether it came over TLS.
    pub tls: bool,
}
