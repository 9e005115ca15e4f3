//! The figures of a full run, as CSV in `results/`.

use std::error::Error;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What was measured of one line of a section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The name of the section.
    pub section: String,
    /// What the section is about.
    pub title: String,
    /// The name of the line, the same wherever the same is measured.
    pub line: String,
    /// What the line is, with its version.
    pub label: String,
    /// What the figures are.
    pub unit: Unit,
    /// The fastest of the samples.
    pub fastest: f64,
    /// The median of the samples.
    pub median: f64,
}

/// What figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Nanoseconds for each item, call or frame.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// 10^9 bytes in a second.
    #[serde(rename = "GB/s")]
    GigabytesPerSecond,
}

/// How long single calls took, in nanoseconds, without what reading the clock took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calls {
    /// How many members there were.
    pub members: String,
    /// What was called.
    pub call: String,
    /// The mean of the middle four fifths: finer than the clock's resolution.
    pub mean: f64,
    /// The median of the calls.
    pub median: u64,
    /// Of 100 calls 99 took no longer.
    pub slow: u64,
    /// Of 10,000 calls 9,999 took no longer.
    pub slowest: u64,
}

/// Where the results of a bench are kept.
pub fn results(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results").join(name).with_extension("csv")
}

/// Keeps the results of a bench.
pub fn write(name: &str, rows: &[impl Serialize]) -> Result<(), Box<dyn Error>> {
    let mut file = csv::Writer::from_path(results(name))?;
    for row in rows {
        file.serialize(row)?;
    }
    file.flush()?;
    Ok(())
}

/// The results of a bench as they were kept last.
pub fn read<R: DeserializeOwned>(name: &str) -> Result<Vec<R>, Box<dyn Error>> {
    let path = results(name);
    let rows = csv::Reader::from_path(&path).and_then(|file| file.into_deserialize().collect());
    rows.map_err(|error| format!("{}: {error}", path.display()).into())
}
