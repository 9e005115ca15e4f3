//! How connections are set up, those of clients and those to an upstream alike.

use std::time::Duration;

/// When TCP looks after a peer that says nothing, how often, and how often in vain. One that has gone
/// without a word is then found out where nothing is written to it either.
pub(crate) const LOOKED_AFTER: (Duration, Duration, u32) =
    (Duration::from_secs(60), Duration::from_secs(15), 4);

/// How many bodies a connection of HTTP/2 has room for that nobody reads.
pub(crate) const UNREAD: u32 = 100;

/// How much of a body may be on its way with HTTP/2 before it is read. A connection has room for that of
/// [`UNREAD`] bodies, so that those that nobody reads do not hold the others up.
pub(crate) const WINDOW: u32 = 256 * 1024;
pub(crate) const WINDOWS: u32 = UNREAD * WINDOW;
