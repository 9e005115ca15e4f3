use std::net::SocketAddr;

/// The client of a request. [`HttpServer`](super::HttpServer) inserts it into the extensions of each request.
///
/// [`Proxy`](crate::Proxy) reads it there to write the `X-Forwarded-…` and `Via` headers, and for its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The remote address of the connection.
    pub address: SocketAddr,
    /// Whether the connection uses TLS.
    pub tls: bool,
}
