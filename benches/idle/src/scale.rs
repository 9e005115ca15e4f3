use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) streams: u32,
    pub(crate) interval: Duration,
    pub(crate) births: Births,
    /// How long, once all streams have beaten.
    pub(crate) window: Duration,
}

/// When the streams are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Births {
    /// One after the other within an interval, as by clients that know nothing of each other
    Spread,
    /// All at once, as after a restart
    Together,
}

impl Scale {
    /// Opens all streams, each by calling `open`.
    pub(crate) fn open_all(&self, mut open: impl FnMut()) {
        let start = Instant::now();
        for nth in 0..self.streams {
            if self.births == Births::Spread {
                let early = (self.interval * nth / self.streams).saturating_sub(start.elapsed());
                if early > Duration::from_millis(1) {
                    thread::sleep(early);
                }
            }
            open();
        }
    }
}
