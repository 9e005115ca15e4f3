use std::iter;

use comfy_table::Table;
use serde::{Deserialize, Serialize};

use crate::table::styled;

/// The result of one line in one round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The name of the section.
    pub section: String,
    /// The title of the section.
    pub title: String,
    /// The name of the line.
    pub line: String,
    /// The label of the line, with the version of its crate.
    pub label: String,
    /// The number of the round.
    pub round: u32,
    /// Events received per second.
    pub events_per_second: f64,
}

/// A table of the runs of one section. Each run is compared with the run of the first line in the same round.
pub fn runs_table(runs: &[Run]) -> Table {
    let lines: Vec<&[Run]> = runs.chunk_by(|one, next| one.line == next.line).collect();
    let mut table = Table::new();
    table.set_header(["", "events/s", "of the first", "lowest", "highest"]);
    for line in &lines {
        let speed = |run: &Run| run.events_per_second;
        let ratios = iter::zip(*line, lines[0]).map(|(run, first)| speed(run) / speed(first));
        let ratios = sorted(ratios);
        let mut cells = vec![line[0].label.clone()];
        cells.push(format!("{:.0}", median(&sorted(line.iter().map(speed)))));
        if line[0].line != runs[0].line {
            let [lowest, highest] = [0, ratios.len() - 1].map(|at| ratios[at]);
            cells.extend([median(&ratios), lowest, highest].map(|ratio| format!("{ratio:.3}")));
        }
        table.add_row(cells);
    }
    styled(table, 1)
}

fn sorted(figures: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures
}

/// Returns the middle figure; of an even number of figures, the upper of the two in the middle.
fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
