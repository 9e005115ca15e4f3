use crate::{Beat, Kind};

/// Makes `beat`, and takes `foreign` for somebody else's.
pub(super) struct Beats;

impl Beat<&'static str> for Beats {
    fn heartbeat(&mut self) -> &'static str {
        "beat"
    }

    fn kind(&mut self, item: &&'static str) -> Kind {
        if *item == "foreign" { Kind::Heartbeat } else { Kind::Real }
    }

    fn bytes(&mut self, heartbeat: &&'static str) -> Option<usize> {
        Some(heartbeat.len())
    }
}
