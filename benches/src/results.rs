//! The results of full runs, as CSV files in `results/`.

use std::error::Error;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The figures of one line of a section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The name of the section.
    pub section: String,
    /// The title of the section.
    pub title: String,
    /// The name of the line. The same subject has the same name in all sections.
    pub line: String,
    /// The label of the line, with the version of its crate.
    pub label: String,
    /// The unit of the figures.
    pub unit: Unit,
    /// The fastest of the samples.
    pub fastest: f64,
    /// The median of the samples.
    pub median: f64,
}

/// The unit of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Nanoseconds per item, call or frame.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// 10^9 bytes per second.
    #[serde(rename = "GB/s")]
    GigabytesPerSecond,
}

/// The duration of single calls in nanoseconds, minus the time to read the clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calls {
    /// The number of members.
    pub members: String,
    /// The function.
    pub call: String,
    /// The mean of the middle 80 % of the calls, which is finer than the resolution of the clock.
    pub mean: f64,
    /// The median of the calls.
    pub median: u64,
    /// The 99th percentile.
    pub slow: u64,
    /// The 99.99th percentile.
    pub slowest: u64,
}

/// The path of the results of the bench `name`.
pub fn results(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results").join(name).with_extension("csv")
}

/// Stores the results of the bench `name`.
pub fn write(name: &str, rows: &[impl Serialize]) -> Result<(), Box<dyn Error>> {
    let mut file = csv::Writer::from_path(results(name))?;
    for row in rows {
        file.serialize(row)?;
    }
    file.flush()?;
    Ok(())
}

/// Reads the stored results of the bench `name`.
pub fn read<R: DeserializeOwned>(name: &str) -> Result<Vec<R>, Box<dyn Error>> {
    let path = results(name);
    let rows = csv::Reader::from_path(&path).and_then(|file| file.into_deserialize().collect());
    rows.map_err(|error| format!("{}: {error}", path.display()).into())
}
