use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use heartbeat_async::Timer;
use hyper::rt::{Read, Write};

use super::accept::Accept;

/// What a runtime gives a server: its listener, and all else that is driven by the runtime.
pub(crate) trait Host: Accept<Connection: Read + Write + Unpin> + Sized {
    /// The runtime's clock and alarms.
    type Timer: Timer<Instant = Instant, Sleep: Send>
        + Default
        + Clone
        + Send
        + Sync
        + Unpin
        + 'static;

    /// Listens on `address`, where port 0 stands for any free one.
    fn bind(address: SocketAddr) -> impl Future<Output = io::Result<Self>> + Send;

    /// Where it listens.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// The clock for what hyper itself has to wait for.
    fn http_timer() -> impl hyper::rt::Timer + Send + Sync + 'static;

    /// Starts a task that nobody waits for.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);
}
