//! The results of the package `idle`.

use std::error::Error;

use comfy_table::Table;
use heartbeat_benches::{read, styled};
use serde::Deserialize;

/// The columns of the results that the page shows.
#[derive(Debug, Deserialize)]
pub(crate) struct IdleRow {
    pub(crate) runtime: String,
    pub(crate) line: String,
    streams: u32,
    rss_bytes_per_stream: f64,
    pub(crate) rss_over_bare: Option<f64>,
    allocated_over_bare: Option<f64>,
    pub(crate) cpu_seconds_per_million: Option<f64>,
    wake_ups_per_interval: f64,
    bare: String,
}

impl IdleRow {
    pub(crate) fn label(&self) -> String {
        format!("{}: {}", self.runtime, self.line)
    }

    /// Whether the streams have heartbeats.
    pub(crate) fn has_heartbeats(&self) -> bool {
        self.line != self.bare
    }

    pub(crate) fn is_on_a_hub(&self) -> bool {
        self.line.ends_with("hub")
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.is_on_a_hub() || self.line.ends_with("heartbeat")
    }

    /// The label in words, for a plot.
    pub(crate) fn in_words(&self) -> Result<String, String> {
        let line = match self.line.as_str() {
            "floor" => "lower bound, one wake-up per interval",
            "hub" => "heartbeat, on a hub",
            "heartbeat" => "heartbeat, with its own timer",
            "sleep" => "by hand, a Sleep in each task",
            "boxed-sleep" => "by hand, a boxed Sleep in each task",
            "timer" => "by hand, a Timer in each task",
            "delay-queue" => "by hand, one DelayQueue",
            "timeout" => "timeout of tokio-stream",
            "sse-hub" => "SSE, heartbeat on a hub",
            "sse-heartbeat" => "SSE, heartbeat with its own timer",
            "sse-keep-alive" => "SSE, KeepAlive of axum",
            other => return Err(format!("no words for the line {other}")),
        };
        Ok(format!("{}: {line}", self.runtime))
    }
}

pub(crate) fn rows() -> Result<Vec<IdleRow>, Box<dyn Error>> {
    read("idle")
}

pub(crate) fn table(rows: &[IdleRow]) -> Table {
    let mut table = Table::new();
    table.set_header([
        "",
        "streams",
        "RSS, B",
        "over bare",
        "allocated",
        "CPU s per 1M",
        "x the hub's",
        "wake-ups",
    ]);
    let optional = |figure: Option<f64>, digits: usize| {
        figure.map(|figure| format!("{figure:.digits$}")).unwrap_or_default()
    };
    for row in rows {
        let hub = rows.iter().find(|hub| {
            (&hub.runtime, hub.streams, &hub.bare) == (&row.runtime, row.streams, &row.bare)
                && hub.is_on_a_hub()
        });
        let times =
            hub.and_then(|hub| Some(row.cpu_seconds_per_million? / hub.cpu_seconds_per_million?));
        let has_heartbeats = row.has_heartbeats();
        table.add_row([
            row.label(),
            row.streams.to_string(),
            format!("{:.0}", row.rss_bytes_per_stream),
            optional(row.rss_over_bare.filter(|_| has_heartbeats), 0),
            optional(row.allocated_over_bare.filter(|_| has_heartbeats), 0),
            optional(row.cpu_seconds_per_million, 2),
            optional(times, 1),
            format!("{:.0}", row.wake_ups_per_interval),
        ]);
    }
    styled(table, 1)
}
