use crate::{ItemKind, MakeHeartbeat};

/// Makes `beat`, and takes `foreign` for somebody else's. No beat may follow `piece`: what comes next
/// belongs to it.
#[derive(Default)]
pub(super) struct Beats {
    within: bool,
}

impl MakeHeartbeat<&'static str> for Beats {
    fn make(&mut self) -> &'static str {
        "beat"
    }

    fn classify(&mut self, item: &&'static str) -> ItemKind {
        self.within = *item == "piece";
        if *item == "foreign" { ItemKind::Heartbeat } else { ItemKind::Event }
    }

    fn encoded_len(&mut self, heartbeat: &&'static str) -> Option<usize> {
        Some(heartbeat.len())
    }

    fn at_boundary(&self) -> bool {
        !self.within
    }
}
