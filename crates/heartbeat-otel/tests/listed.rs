//! The tables in the documentation list exactly the instruments that the observer creates.

mod support;

use std::time::Duration;

use heartbeat_async::{Observer, Outcome};
use heartbeat_otel::OtelObserver;
use support::{Exported, Recording};

/// The rows of a table of instruments, each as its cells without backticks.
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
    observer.on_passthrough("content_type");
    let mut exported = recording.instruments();
    exported.sort();
    exported
}

#[test]
fn the_crate_documentation_lists_the_instruments() {
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
fn the_metrics_page_lists_the_instruments() {
    let mut listed: Vec<_> = rows(include_str!("../../../docs/metrics.md"))
        .map(|row| {
            let [name, _, kind, unit, description] = row.try_into().expect("five cells");
            Exported { name, kind, unit, description }
        })
        .collect();
    listed.sort();
    assert_eq!(listed, exported());
}
