//! The table at the end: criterion's estimates side by side.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

use crate::ITEMS;

const LOCK_FILE: &str = include_str!("../../Cargo.lock");

/// The line, where a section has one, that the others are compared with.
pub(crate) const OURS: &str = "heartbeat-tokio";

/// What ours adds counts for this much at least (ns): less is noise, and no ratio is built on it.
const RESOLUTION: f64 = 0.1;

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

/// Nanoseconds per item: the median, and the median absolute deviation from it.
#[derive(Clone, Copy)]
struct Estimate {
    median: f64,
    deviation: f64,
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
    /// Prints the lines for which criterion has left estimates in `directory` since `start`: all of
    /// them, unless a filter was given.
    pub(crate) fn print(&self, directory: &Path, start: SystemTime) {
        let directory = directory.join(self.group);
        let estimate = |id: &str| Estimate::read(&directory.join(id), start);
        if self.lines.iter().all(|line| estimate(line.id).is_none()) {
            return;
        }

        let base = self.lines.first().and_then(|line| estimate(line.id));
        let added_by = |id: &str| Some(estimate(id)?.median - base?.median);
        let ours = added_by(OURS);
        let title = format!("{}: {}", self.group, self.title);
        let ratios = if ours.is_some() { "x ours" } else { "" };
        println!("\n{title:<66} {:>8} {:>7} {:>8} {ratios:>7}", "ns/item", "±", "added");
        for (number, Line { id, label }) in self.lines.iter().enumerate() {
            let Some(Estimate { median, deviation }) = estimate(id) else { continue };
            let added = added_by(id).filter(|_| number > 0);
            let ratio = match (added, ours) {
                (Some(added), Some(ours)) if *id != OURS => {
                    let sign = if ours < RESOLUTION { ">" } else { "" };
                    format!("{sign}{:.1}", added / ours.max(RESOLUTION))
                }
                _ => String::new(),
            };
            let added = added.map_or(String::new(), |added| format!("{added:+.2}"));
            println!("  {label:<64} {median:>8.2} {deviation:>7.2} {added:>8} {ratio:>7}");
        }
    }
}

impl Estimate {
    /// Criterion has no other way to hand its results out than this file.
    fn read(directory: &Path, start: SystemTime) -> Option<Self> {
        let file = directory.join("new/estimates.json");
        if fs::metadata(&file).ok()?.modified().ok()? < start {
            return None;
        }
        let estimates: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        let per_item =
            |name: &str| Some(estimates[name]["point_estimate"].as_f64()? / f64::from(ITEMS));
        Some(Self { median: per_item("median")?, deviation: per_item("median_abs_dev")? })
    }
}
