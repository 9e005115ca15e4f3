use crate::{Beat, Kind};

/// Makes `beat`, and takes `foreign` for somebody else's. No beat may follow `piece`: what comes next
/// belongs to it.
#[derive(Default)]
pub(super) struct Beats {
    within: bool,
}

impl Beat<&'static str> for Beats {
    fn heartbeat(&mut self) -> &'static str {
        "beat"
    }

    fn kind(&mut self, item: &&'static str) -> Kind {
        self.within = *item == "piece";
        if *item == "foreign" { Kind::Heartbeat } else { Kind::Real }
    }

    fn bytes(&mut self, heartbeat: &&'static str) -> Option<usize> {
        Some(heartbeat.len())
    }

    fn fits(&self) -> bool {
        !self.within
    }
}
