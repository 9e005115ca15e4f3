//! The runtimes that can drive the server. What it does between the accept and the timer of a
//! heartbeat is then all theirs: listener, connections, tasks and alarms.
//!
//! [`Runtime`] is the choice among them.

pub(crate) mod accept;
mod async_std;
mod choice;
pub(crate) mod host;
mod smol;
mod tokio;

pub use choice::Runtime;
