//! The table at the end: criterion's figures side by side.

use std::fs;
use std::iter;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

use crate::ITEMS;

const LOCK_FILE: &str = include_str!("../../Cargo.lock");

/// The line, where a section has one, that the others are compared with.
pub(crate) const OURS: &str = "heartbeat-tokio";

/// What ours adds counts for this share of the baseline at least: less cannot be told from the
/// noise between two runs, and no ratio is built on it.
const RESOLUTION: f64 = 0.05;

/// A group of criterion's. Its first line is the baseline: the others add to it.
pub(crate) struct Section {
    pub(crate) group: &'static str,
    pub(crate) title: &'static str,
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    pub(crate) id: &'static str,
    pub(crate) label: String,
}

/// Nanoseconds per item: the fastest sample, and the median of all.
///
/// Whatever else goes on in the machine makes a sample slower, never faster. So the fastest one
/// tells what the code costs, and the median how quiet the machine was.
#[derive(Clone, Copy)]
struct Figures {
    fastest: f64,
    median: f64,
}

/// The version of a package that this bench was built with.
pub(crate) fn version(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"");
    LOCK_FILE
        .split("[[package]]")
        .find(|entry| entry.lines().any(|line| line == name))
        .and_then(|entry| entry.lines().find_map(|line| line.strip_prefix("version = ")))
        .map_or("?", |version| version.trim_matches('"'))
}

impl Section {
    /// Prints the lines for which criterion has left figures in `directory` since `start`: all of
    /// them, unless a filter was given.
    pub(crate) fn print(&self, directory: &Path, start: SystemTime) {
        let directory = directory.join(self.group);
        let figures = |id: &str| Figures::read(&directory.join(id).join("new"), start);
        if self.lines.iter().all(|line| figures(line.id).is_none()) {
            return;
        }

        let base = self.lines.first().and_then(|line| figures(line.id));
        let added_by = |id: &str| Some(figures(id)?.fastest - base?.fastest);
        let ours = added_by(OURS);
        let resolution = base.map_or(f64::NAN, |base| base.fastest * RESOLUTION);
        let title = format!("{}: {}", self.group, self.title);
        let ratios = if ours.is_some() { "x ours" } else { "" };
        println!("\n{title:<62} {:>8} {:>8} {:>8} {ratios:>7}", "fastest", "median", "added");
        for (number, Line { id, label }) in self.lines.iter().enumerate() {
            let Some(Figures { fastest, median }) = figures(id) else { continue };
            let added = added_by(id).filter(|_| number > 0);
            let ratio = match (added, ours) {
                (Some(added), Some(ours)) if *id != OURS => {
                    let sign = if ours < resolution { ">" } else { "" };
                    format!("{sign}{:.1}", added / ours.max(resolution))
                }
                _ => String::new(),
            };
            let added = added.map_or(String::new(), |added| format!("{added:+.2}"));
            println!("  {label:<60} {fastest:>8.2} {median:>8.2} {added:>8} {ratio:>7}");
        }
    }
}

impl Figures {
    /// Criterion has no other way to hand its results out than these files.
    fn read(directory: &Path, start: SystemTime) -> Option<Self> {
        let estimates = json(&directory.join("estimates.json"), start)?;
        let sample = json(&directory.join("sample.json"), start)?;
        let per_item = |nanoseconds: f64| nanoseconds / f64::from(ITEMS);
        let fastest = iter::zip(sample["times"].as_array()?, sample["iters"].as_array()?)
            .filter_map(|(time, iterations)| Some(time.as_f64()? / iterations.as_f64()?))
            .reduce(f64::min)?;
        let median = estimates["median"]["point_estimate"].as_f64()?;
        Some(Self { fastest: per_item(fastest), median: per_item(median) })
    }
}

fn json(file: &Path, start: SystemTime) -> Option<Value> {
    let of_this_run = fs::metadata(file).ok()?.modified().ok()? >= start;
    of_this_run.then(|| serde_json::from_slice(&fs::read(file).ok()?).ok())?
}
