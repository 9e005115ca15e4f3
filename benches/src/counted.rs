use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fs, io};

use comfy_table::Table;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::table::styled;

/// What `counting` takes is a part of all others that are counted in the same way.
const COUNTING: &str = "counting";

/// How many instructions something takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// What was called.
    pub call: String,
    /// On what.
    pub case: String,
    /// How many they are, with those that counting itself takes.
    pub instructions: u64,
}

/// What gungraun has counted in its last run. It leaves summaries only if it is told to, by
/// `GUNGRAUN_SAVE_SUMMARY=json`.
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

/// A table of what was counted.
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
