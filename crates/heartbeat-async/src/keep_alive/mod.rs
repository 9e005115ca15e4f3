//! The pull side: what keeps one stream or body alive.

mod make_heartbeat;
mod state;
mod stream;

pub use make_heartbeat::{Classify, ItemKind, MakeHeartbeat, MakeOk};
pub use state::KeepAlive;
pub use stream::HeartbeatStream;
