use std::sync::atomic::{AtomicU64, Ordering};

use super::traffic::Side;

/// Counters of an [`IdleProxy`](super::IdleProxy), summed over its connections.
///
/// The counters never decrease, and can be read at any time. Each counter is exact; two counters are not read
/// atomically together.
#[derive(Debug, Default)]
pub struct ProxyStats {
    connections: AtomicU64,
    client_bytes: AtomicU64,
    server_bytes: AtomicU64,
    cuts: AtomicU64,
}

impl ProxyStats {
    /// Number of accepted connections, including those whose upstream was unreachable.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Bytes read from clients. Bytes in flight at the end of a connection may not have been forwarded.
    #[must_use]
    pub fn client_bytes(&self) -> u64 {
        self.client_bytes.load(Ordering::Relaxed)
    }

    /// Bytes read from the upstream. A byte is counted before it is forwarded.
    #[must_use]
    pub fn server_bytes(&self) -> u64 {
        self.server_bytes.load(Ordering::Relaxed)
    }

    /// Number of connections that were cut because they were idle. A cut is counted before the sockets close.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }

    pub(super) fn on_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn on_read(&self, from: Side, bytes: usize) {
        let counter = match from {
            Side::Client => &self.client_bytes,
            Side::Server => &self.server_bytes,
        };
        counter.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn on_cut(&self) {
        self.cuts.fetch_add(1, Ordering::Relaxed);
    }
}
