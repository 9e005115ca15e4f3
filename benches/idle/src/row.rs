use serde::{Deserialize, Serialize};

use crate::lines::Line;
use crate::process::{Activity, Memory};
use crate::scale::{Opening, Scale};

/// The measurements of a line: memory without and with streams, activity before and after the window, and the
/// heartbeats in the window.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) empty: Memory,
    pub(crate) full: Memory,
    pub(crate) before: Activity,
    pub(crate) after: Activity,
    pub(crate) heartbeats: u64,
}

/// A row of the table. The README of the benches describes the columns.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    runtime: String,
    line: String,
    streams: u32,
    interval_s: f64,
    opening: Opening,
    window_s: f64,
    rss_bytes_per_stream: f64,
    rss_over_bare: Option<f64>,
    allocated_bytes_per_stream: f64,
    allocated_over_bare: Option<f64>,
    heartbeats: u64,
    cpu_seconds: f64,
    cpu_seconds_per_million: Option<f64>,
    wake_ups_per_interval: f64,
    allocations: u64,
    /// The line without heartbeats with which this line is compared.
    bare: String,
}

impl Row {
    #[expect(clippy::cast_precision_loss, reason = "all counts are far below 2^52")]
    pub(crate) fn new(line: &Line, scale: &Scale, measured: &Measured) -> Self {
        let Measured { empty, full, before, after, heartbeats } = measured;
        let per_stream = |full: u64, empty: u64| {
            rounded(full.saturating_sub(empty) as f64 / f64::from(scale.streams), 10.0)
        };
        let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
        let intervals = scale.window.as_secs_f64() / scale.interval.as_secs_f64();
        let wake_ups = (after.wake_ups - before.wake_ups) as f64;
        Self {
            runtime: line.runtime.name().to_owned(),
            line: line.name.to_owned(),
            streams: scale.streams,
            interval_s: scale.interval.as_secs_f64(),
            opening: scale.opening,
            window_s: scale.window.as_secs_f64(),
            rss_bytes_per_stream: per_stream(full.resident, empty.resident),
            rss_over_bare: None,
            allocated_bytes_per_stream: per_stream(full.allocated, empty.allocated),
            allocated_over_bare: None,
            heartbeats: *heartbeats,
            cpu_seconds: rounded(cpu, 1000.0),
            cpu_seconds_per_million: (*heartbeats > 0)
                .then(|| rounded(cpu * 1e6 / *heartbeats as f64, 1000.0)),
            wake_ups_per_interval: rounded(wake_ups / intervals, 10.0),
            allocations: after.allocations - before.allocations,
            bare: line.bare.to_owned(),
        }
    }

    /// Adds the comparison with the line without heartbeats, if `others` contains it.
    pub(crate) fn compared_with(mut self, others: &[Self]) -> Self {
        let bare = others.iter().find(|row| row.runtime == self.runtime && row.line == self.bare);
        if let Some(bare) = bare {
            let over = |this: f64, bare: f64| Some(rounded(this - bare, 10.0));
            self.rss_over_bare = over(self.rss_bytes_per_stream, bare.rss_bytes_per_stream);
            self.allocated_over_bare =
                over(self.allocated_bytes_per_stream, bare.allocated_bytes_per_stream);
        }
        self
    }
}

fn rounded(figure: f64, parts: f64) -> f64 {
    (figure * parts).round() / parts
}
