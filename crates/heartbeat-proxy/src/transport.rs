//! Settings of connections, both from clients and to the upstream.

use std::time::Duration;

/// TCP keep-alive: idle time before the first probe, time between probes, and unanswered probes before the
/// connection is closed. It detects a dead peer on a connection to which nothing is written.
pub(crate) const TCP_KEEPALIVE: (Duration, Duration, u32) =
    (Duration::from_secs(60), Duration::from_secs(15), 4);

/// How many unread bodies fit into the receive window of an HTTP/2 connection.
pub(crate) const MAX_UNREAD_BODIES: u32 = 100;

/// Receive window of an HTTP/2 stream, in bytes.
pub(crate) const STREAM_WINDOW: u32 = 256 * 1024;

/// Receive window of an HTTP/2 connection, in bytes. Up to [`MAX_UNREAD_BODIES`] unread bodies do not block the
/// other streams of the connection.
pub(crate) const CONNECTION_WINDOW: u32 = MAX_UNREAD_BODIES * STREAM_WINDOW;
