//! Progress on standard error: on a terminal one line per stream that is updated in place, elsewhere one line per change.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::ScenarioEvent;
use super::scenario::Scenario;

/// The progress of all streams.
#[derive(Debug)]
pub(super) struct ProgressDisplay {
    start: Instant,
    streams: Vec<ProgressLine>,
}

#[derive(Debug)]
struct ProgressLine {
    label: String,
    real_events: u64,
    heartbeats: u64,
    /// `None` if standard error is not a terminal.
    bar: Option<ProgressBar>,
}

impl ProgressDisplay {
    pub(super) fn new(scenarios: &[Scenario], start: Instant) -> Self {
        let bars = Some(MultiProgress::new()).filter(|bars| !bars.is_hidden());
        let line = |scenario: &Scenario| {
            let Scenario { runtime, protocol, name, .. } = scenario;
            let label = format!("{:9}  {protocol:8}  {name:12}", runtime.name());
            let bar = bars.as_ref().map(|bars| bars.add(bar(label.clone())));
            ProgressLine { label, real_events: 0, heartbeats: 0, bar }
        };
        Self { start, streams: scenarios.iter().map(line).collect() }
    }

    /// Shows a change on the stream with this index.
    pub(super) fn update(&mut self, index: usize, change: ScenarioEvent) {
        let Some(line) = self.streams.get_mut(index) else { return };
        let text = match change {
            ScenarioEvent::Event => {
                line.real_events += 1;
                "real event"
            }
            ScenarioEvent::Heartbeat => {
                line.heartbeats += 1;
                "heartbeat"
            }
            ScenarioEvent::Ended { survived: true } => "alive to the end",
            ScenarioEvent::Ended { survived: false } => "CUT",
        };
        let Some(bar) = &line.bar else {
            let _ = writeln!(
                io::stderr(),
                "{:5.1} s  {}  {text}",
                self.start.elapsed().as_secs_f64(),
                line.label
            );
            return;
        };
        let counts = format!("{} real, {} heartbeats", line.real_events, line.heartbeats);
        if let ScenarioEvent::Ended { .. } = change {
            bar.finish_with_message(format!("{counts}, {text}"));
        } else {
            bar.set_message(counts);
        }
    }
}

fn bar(label: String) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {prefix}  {elapsed:>3}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style).with_prefix(label);
    bar.set_message("silent");
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
