//! The tables that the benches print.

use comfy_table::{CellAlignment, Table, presets};

use crate::results::{Calls, Row, Unit};

/// The name of the line of this project, with which the other lines of a section are compared.
pub const OURS: &str = "heartbeat-tokio";

/// The smallest share of the baseline that can be distinguished from noise between two runs. A smaller cost counts
/// as this share when ratios are calculated.
const RESOLUTION: f64 = 0.05;

/// A table of the rows of one section. The first row is the baseline.
pub fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    match rows.first() {
        Some(base) if base.unit == Unit::Nanoseconds => costs(&mut table, base, rows),
        Some(base) => speeds(&mut table, base, rows),
        None => {}
    }
    styled(table, 1)
}

/// A table of single calls. The first line of each number of members is the lower bound for any data structure.
pub fn calls_table(calls: &[Calls]) -> Table {
    let mut table = Table::new();
    table.set_header(["members", "", "mean", "x floor", "x fewest", "median", "99 %", "99.99 %"]);
    for Calls { members, call, mean, median, slow, slowest } in calls {
        let times = |other: Option<&Calls>| {
            other.map(|other| format!("{:.1}", mean / other.mean)).unwrap_or_default()
        };
        table.add_row([
            members,
            call,
            &format!("{mean:.1}"),
            &times(calls.iter().find(|floor| floor.members == *members)),
            &times(calls.iter().find(|fewest| fewest.call == *call)),
            &median.to_string(),
            &slow.to_string(),
            &slowest.to_string(),
        ]);
    }
    styled(table, 2)
}

/// Removes the lines of the table, and aligns the columns from number `figures` on to the right.
pub fn styled(mut table: Table, figures: usize) -> Table {
    table.load_style(presets::NOTHING);
    for column in table.column_iter_mut().skip(figures) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn costs(table: &mut Table, base: &Row, rows: &[Row]) {
    let added_by = |row: &Row| row.fastest - base.fastest;
    let ours = rows.iter().find(|row| row.line == OURS).map(added_by);
    let resolution = base.fastest * RESOLUTION;
    let ratio = |row: &Row| {
        let ours = ours.filter(|_| row.line != OURS && row != base)?;
        let sign = if ours < resolution { ">" } else { "" };
        Some(format!("{sign}{:.1}", added_by(row) / ours.max(resolution)))
    };
    let added = |row: &Row| (row != base).then(|| format!("{:+.2}", added_by(row)));

    let header = ["", "fastest", "median", "added", "x ours"];
    table.set_header(if ours.is_some() { &header[..] } else { &header[..4] });
    for row in rows {
        let mut cells = vec![row.label.clone()];
        cells.extend([row.fastest, row.median].map(|figure| format!("{figure:.2}")));
        cells.push(added(row).unwrap_or_default());
        if ours.is_some() {
            cells.push(ratio(row).unwrap_or_default());
        }
        table.add_row(cells);
    }
}

fn speeds(table: &mut Table, base: &Row, rows: &[Row]) {
    table.set_header(["", "fastest GB/s", "median GB/s", "of the first"]);
    for row in rows {
        let of_the_first = format!("{:.0} %", row.fastest / base.fastest * 100.0);
        let [fastest, median] = [row.fastest, row.median].map(|figure| format!("{figure:.2}"));
        table.add_row([&row.label, &fastest, &median, &of_the_first]);
    }
}
