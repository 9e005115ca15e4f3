use std::fs;
use std::iter;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

/// Nanoseconds per iteration: the fastest sample, and the median of all.
///
/// Whatever else goes on in the machine makes a sample slower, never faster. So the fastest one
/// tells what the code costs, and the median how quiet the machine was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) fastest: f64,
    pub(crate) median: f64,
}

impl Figures {
    /// What criterion has left in `directory` since `start`: it has no other way to hand its results
    /// out than these files.
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
