use serde::{Deserialize, Serialize};

use crate::lines::Line;
use crate::process::{Activity, Memory};
use crate::scale::{Births, Scale};

/// What was seen of a line: its memory before it had streams and at the end, what it did meanwhile.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) empty: Memory,
    pub(crate) full: Memory,
    pub(crate) before: Activity,
    pub(crate) after: Activity,
    pub(crate) beats: u64,
}

/// A row of the table. README.md of the benches says what each column is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    runtime: String,
    line: String,
    streams: u32,
    interval_s: f64,
    births: Births,
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
    /// The line without heartbeats that this one is compared with.
    bare: String,
}

impl Row {
    #[expect(clippy::cast_precision_loss, reason = "all counts are far below 2^52")]
    pub(crate) fn new(line: &Line, scale: &Scale, measured: &Measured) -> Self {
        let Measured { empty, full, before, after, beats } = measured;
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
            births: scale.births,
            window_s: scale.window.as_secs_f64(),
            rss_bytes_per_stream: per_stream(full.resident, empty.resident),
            rss_over_bare: None,
            allocated_bytes_per_stream: per_stream(full.allocated, empty.allocated),
            allocated_over_bare: None,
            heartbeats: *beats,
            cpu_seconds: rounded(cpu, 1000.0),
            cpu_seconds_per_million: (*beats > 0)
                .then(|| rounded(cpu * 1e6 / *beats as f64, 1000.0)),
            wake_ups_per_interval: rounded(wake_ups / intervals, 10.0),
            allocations: after.allocations - before.allocations,
            bare: line.bare.to_owned(),
        }
    }

    /// Compares with the bare line, if that is among those that were measured before.
    pub(crate) fn beside(mut self, others: &[Self]) -> Self {
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
