//! What happens on the streams, as it happens, on standard error: a line per stream that changes in
//! place where a terminal can do that, a line per event elsewhere.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::Happened;
use super::lane::Lane;

/// How the streams are faring.
#[derive(Debug)]
pub(super) struct Progress {
    start: Instant,
    streams: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    label: String,
    real_events: u64,
    heartbeats: u64,
    /// None where there is no such terminal.
    bar: Option<ProgressBar>,
}

impl Progress {
    /// All streams have been opened.
    pub(super) fn new(lanes: &[Lane], start: Instant) -> Self {
        let bars = Some(MultiProgress::new()).filter(|bars| !bars.is_hidden());
        let line = |lane: &Lane| {
            let label = format!("{:9}  {:8}  {:12}", lane.runtime.name(), lane.protocol, lane.name);
            let bar = bars.as_ref().map(|bars| bars.add(bar(label.clone())));
            Line { label, real_events: 0, heartbeats: 0, bar }
        };
        Self { start, streams: lanes.iter().map(line).collect() }
    }

    /// Something happened on the stream at that place.
    pub(super) fn tell(&mut self, place: usize, happened: Happened) {
        let Some(line) = self.streams.get_mut(place) else { return };
        let what = match happened {
            Happened::RealEvent => {
                line.real_events += 1;
                "real event"
            }
            Happened::Heartbeat => {
                line.heartbeats += 1;
                "heartbeat"
            }
            Happened::Ended { survived: true } => "alive to the end",
            Happened::Ended { survived: false } => "CUT",
        };
        let Some(bar) = &line.bar else {
            let _ = writeln!(
                io::stderr(),
                "{:5.1} s  {}  {what}",
                self.start.elapsed().as_secs_f64(),
                line.label
            );
            return;
        };
        let counts = format!("{} real, {} heartbeats", line.real_events, line.heartbeats);
        if let Happened::Ended { .. } = happened {
            bar.finish_with_message(format!("{counts}, {what}"));
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
