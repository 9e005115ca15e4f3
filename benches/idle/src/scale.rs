use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The size of a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) streams: u32,
    pub(crate) interval: Duration,
    pub(crate) opening: Opening,
    /// The duration of the measurement, after all streams have sent a heartbeat.
    pub(crate) window: Duration,
}

/// How the streams are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Opening {
    /// One after the other within an interval, as by independent clients
    Spread,
    /// All at once, as after a restart of the server
    Together,
}

impl Scale {
    /// Opens all streams, each by calling `open`.
    pub(crate) fn open_all(&self, mut open: impl FnMut()) {
        let start = Instant::now();
        for nth in 0..self.streams {
            if self.opening == Opening::Spread {
                let wait = (self.interval * nth / self.streams).saturating_sub(start.elapsed());
                if wait > Duration::from_millis(1) {
                    thread::sleep(wait);
                }
            }
            open();
        }
    }
}
