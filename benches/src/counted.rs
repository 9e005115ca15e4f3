use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fs, io};

use comfy_table::Table;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::table::styled;

/// The line with the instructions of the measurement itself. They are part of every other line.
const COUNTING: &str = "counting";

/// The instruction count of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The function.
    pub call: String,
    /// The case: what the function was called on.
    pub case: String,
    /// Instructions, including those of the measurement itself.
    pub instructions: u64,
}

/// Reads the counts of gungraun's last run. gungraun writes them only with `GUNGRAUN_SAVE_SUMMARY=json`.
pub fn counted() -> Result<Vec<Counted>, Box<dyn Error>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/gungraun/heartbeat-benches/instructions/instructions");
    let files: io::Result<Vec<PathBuf>> = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.path().join("summary.json")))
        .collect();
    let mut found = Vec::new();
    for file in files?.iter().filter(|file| file.exists()) {
        let summary: Value = serde_json::from_slice(&fs::read(file)?)?;
        let text = |key: &str| summary[key].as_str().map(str::to_owned).unwrap_or_default();
        let values = &summary["profiles"][0]["data"]["parts"][0]["metrics"]["Ir"]["values"];
        let instructions = values["new"].as_u64().ok_or("a summary without instructions")?;
        let case = text("id").replace('_', " ");
        let counted = Counted { call: text("function_name"), case, instructions };
        found.push((text("started_at"), counted));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found.into_iter().map(|(_, counted)| counted).collect())
}

/// A table of instruction counts.
pub fn counted_table(all: &[Counted]) -> Table {
    let counting = |counted: &&Counted| counted.call == COUNTING;
    let counting = all.iter().find(counting).map_or(0, |counted| counted.instructions);
    let mut table = Table::new();
    table.set_header(["", "", "instructions", "without counting"]);
    for Counted { call, case, instructions } in all {
        let without = instructions.saturating_sub(counting);
        table.add_row([call, case, &instructions.to_string(), &without.to_string()]);
    }
    styled(table, 2)
}
