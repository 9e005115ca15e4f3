//! The pull side: a stream that is kept alive.

mod make_heartbeat;
mod stream;

pub use make_heartbeat::{Classify, ItemKind, MakeHeartbeat, MakeOk};
pub use stream::HeartbeatStream;
