//! The heartbeats of the scenarios.

use heartbeat_async::{ItemKind, MakeHeartbeat};

/// Makes `heartbeat`, and treats `foreign` as a heartbeat from elsewhere. No heartbeat may follow `piece`, which
/// is a part of a message, nor `error`.
#[derive(Default)]
pub(crate) struct TestHeartbeats {
    within: bool,
}

impl MakeHeartbeat<&'static str> for TestHeartbeats {
    fn make(&mut self) -> &'static str {
        "heartbeat"
    }

    fn classify(&mut self, item: &&'static str) -> ItemKind {
        self.within = *item == "piece";
        match *item {
            "foreign" => ItemKind::Heartbeat,
            "error" => ItemKind::Error,
            _ => ItemKind::Event,
        }
    }

    fn encoded_len(&mut self, heartbeat: &&'static str) -> Option<usize> {
        Some(heartbeat.len())
    }

    fn at_boundary(&self) -> bool {
        !self.within
    }
}
