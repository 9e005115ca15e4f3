//! The runtimes that can drive the server. What it does between the accept and the timer of a
//! heartbeat is then all theirs: listener, connections, tasks and alarms.
//!
//! [`Runtime`] is the choice among them, [`Listener`] a server on the one that was chosen.

pub(crate) mod accept;
mod async_std;
mod choice;
pub(crate) mod host;
mod http2;
mod listener;
mod smol;
mod tokio;

pub use choice::Runtime;
pub use listener::Listener;
