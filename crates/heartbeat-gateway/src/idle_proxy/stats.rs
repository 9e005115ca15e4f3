use std::sync::atomic::{AtomicU64, Ordering};

use super::traffic::Side;

/// What went through an [`IdleProxy`](super::IdleProxy), summed over all its connections.
///
/// The counters only grow, and may be read at any time. They are no snapshot: each is exact, but
/// two of them that are read one after the other need not belong to the same moment.
#[derive(Debug, Default)]
pub struct ProxyStats {
    connections: AtomicU64,
    client_bytes: AtomicU64,
    server_bytes: AtomicU64,
    cuts: AtomicU64,
}

impl ProxyStats {
    /// How many connections were accepted, those included whose upstream could not be reached.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Bytes read from clients. All but those in flight when a connection ended were passed on.
    #[must_use]
    pub fn client_bytes(&self) -> u64 {
        self.client_bytes.load(Ordering::Relaxed)
    }

    /// Bytes read from the upstream, counted before they are passed on: a client that has read a
    /// byte finds it counted.
    #[must_use]
    pub fn server_bytes(&self) -> u64 {
        self.server_bytes.load(Ordering::Relaxed)
    }

    /// How many connections were cut for being idle, counted before the cut: a client that sees the
    /// end finds it counted. Connections that ended by themselves, or failed, are none of them.
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
