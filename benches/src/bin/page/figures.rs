//! The tables of the page. The text block behind a comment with the name of a section contains the table of that
//! section.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;

use heartbeat_benches::{
    Calls, Counted, Row, Run, calls_table, counted_table, read, results, runs_table, table,
};

use crate::idle;

const COMMENT: &str = "<!-- figures: ";
const BLOCK: &str = " -->\n```text\n";
const END: &str = "```\n";

/// Returns the page with the stored results.
pub(crate) fn updated(page: &str) -> Result<String, Box<dyn Error>> {
    let tables = tables()?;
    let mut parts = page.split(COMMENT);
    let mut updated = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, old) = part.split_once(BLOCK).ok_or("a comment without a text block")?;
        let (_, rest) =
            old.split_once(END).ok_or_else(|| format!("the text block of {name} does not end"))?;
        let table = tables.get(name).ok_or_else(|| format!("no section is named {name}"))?;
        updated.extend([COMMENT, name, BLOCK]);
        for line in table.lines() {
            updated.extend([line.trim_end(), "\n"]);
        }
        updated.extend([END, rest]);
    }
    Ok(updated)
}

fn tables() -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let mut tables = BTreeMap::new();
    for bench in ["per_item", "push", "wire", "heartbeat_set"] {
        let rows: Vec<Row> = read(bench)?;
        for section in rows.chunk_by(|one, next| one.section == next.section) {
            let text = titled(&section[0].title, &table(section).to_string());
            tables.insert(section[0].section.clone(), text);
        }
    }
    let runs: Vec<Run> = read("end_to_end")?;
    for section in runs.chunk_by(|one, next| one.section == next.section) {
        let text = titled(&section[0].title, &runs_table(section).to_string());
        tables.insert(section[0].section.clone(), text);
    }
    let calls: Vec<Calls> = read("heartbeat_set_calls")?;
    tables.insert("set-calls".into(), calls_table(&calls).to_string());
    let counted: Vec<Counted> = read("instructions")?;
    tables.insert("instructions".into(), counted_table(&counted).to_string());
    tables.insert("idle".into(), idle::table(&idle::rows()?).to_string());
    tables.insert("machine".into(), fs::read_to_string(results("machine").with_extension("txt"))?);
    Ok(tables)
}

fn titled(title: &str, table: &str) -> String {
    // Each line of the table starts with a space.
    format!(" {title}\n\n{table}")
}
