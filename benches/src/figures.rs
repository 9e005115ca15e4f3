use std::fs;
use std::iter;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

/// Nanoseconds per iteration: the fastest sample, and the median of all samples.
///
/// Other work on the machine makes samples slower, never faster. The fastest sample is therefore the cost of the
/// code, and the median shows how quiet the machine was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) fastest: f64,
    pub(crate) median: f64,
}

impl Figures {
    /// Reads the files that criterion has written to `directory` since `start`. criterion offers its results in
    /// no other way.
    pub(crate) fn read(directory: &Path, start: SystemTime) -> Option<Self> {
        let estimates = json(&directory.join("estimates.json"), start)?;
        let sample = json(&directory.join("sample.json"), start)?;
        let fastest = iter::zip(sample["times"].as_array()?, sample["iters"].as_array()?)
            .filter_map(|(time, iterations)| Some(time.as_f64()? / iterations.as_f64()?))
            .reduce(f64::min)?;
        let median = estimates["median"]["point_estimate"].as_f64()?;
        Some(Self { fastest, median })
    }
}

fn json(file: &Path, start: SystemTime) -> Option<Value> {
    let of_this_run = fs::metadata(file).ok()?.modified().ok()? >= start;
    of_this_run.then(|| serde_json::from_slice(&fs::read(file).ok()?).ok())?
}
