//! The pull side: what keeps one stream or body alive.

mod keep_alive;
mod make_heartbeat;
mod stream;

pub use keep_alive::KeepAlive;
pub use make_heartbeat::{Classify, ItemKind, MakeHeartbeat, MakeOk};
pub use stream::HeartbeatStream;
