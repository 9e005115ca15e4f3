use std::time::Instant;

use heartbeat_async::Timer;
use hyper::rt::{Read, Write};

use super::accept::Accept;

/// What a runtime gives a server: its listener, and all else that is driven by the runtime.
pub(crate) trait Host: Accept {
    /// A connection, for hyper to read and write.
    type Io: Read + Write + Unpin + Send + 'static;

    /// The runtime's clock and alarms.
    type Timer: Timer<Instant = Instant, Sleep: Send>
        + Default
        + Clone
        + Send
        + Sync
        + Unpin
        + 'static;

    /// Lets hyper read and write a connection.
    fn io(connection: Self::Connection) -> Self::Io;

    /// The same clock, for what hyper itself has to wait for.
    fn http_timer() -> impl hyper::rt::Timer + Send + Sync + 'static;

    /// Starts a task that nobody waits for.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);
}
