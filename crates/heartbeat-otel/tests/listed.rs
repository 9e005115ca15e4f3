//! The instruments that the documentation lists are those that there are.

mod support;

use std::time::Duration;

use heartbeat_async::{Observer, Outcome};
use heartbeat_otel::OtelObserver;
use support::{Exported, Recording};

/// The rows of the tables of instruments: the cells between the bars, without backticks.
fn rows(text: &str) -> impl Iterator<Item = Vec<String>> {
    let lines = text.lines().map(|line| line.trim_start_matches("//!").trim());
    lines.filter(|line| line.starts_with("| `heartbeat.")).map(|line| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    })
}

fn exported() -> Vec<Exported> {
    let recording = Recording::new();
    let observer = OtelObserver::new(&recording.meter());
    observer.on_heartbeat(Outcome::Sent, Duration::ZERO, None);
    let mut exported = recording.instruments();
    exported.sort();
    exported
}

#[test]
fn the_crates_documentation_lists_the_instruments_as_they_are() {
    let mut listed: Vec<_> = rows(include_str!("../src/lib.rs"))
        .map(|row| {
            let [name, kind, unit, description] = row.try_into().expect("four cells");
            Exported { name, kind, unit, description }
        })
        .collect();
    listed.sort();
    assert_eq!(listed, exported());
}

#[test]
fn the_guide_to_the_metrics_lists_the_same() {
    let mut listed: Vec<_> = rows(include_str!("../../../docs/metrics.md"))
        .map(|row| {
            let [name, _, kind, unit, description] = row.try_into().expect("five cells");
            Exported { name, kind, unit, description }
        })
        .collect();
    listed.sort();
    assert_eq!(listed, exported());
}
