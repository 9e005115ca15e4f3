//! The table and the plot in `docs/wire-cost.md` are current.

mod plot;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// Compares a file in the docs, or writes it if `HEARTBEAT_REGENERATE` is set.
fn is_current(name: &str, renewed: &str) {
    if env::var_os("HEARTBEAT_REGENERATE").is_some() {
        fs::write(docs(name), renewed).expect("it can be written");
    }
    let text = fs::read_to_string(docs(name)).unwrap_or_default();
    assert!(
        text == renewed,
        "docs/{name} is outdated: docs/wire-cost.md describes how to update it"
    );
}

#[test]
fn the_table_on_the_page_is_the_output_of_the_command() {
    let output = Command::new(env!("CARGO_BIN_EXE_heartbeat-gateway")).arg("cost").output();
    let output = output.expect("the command can be run");
    assert!(output.status.success(), "{output:?}");
    let table = String::from_utf8(output.stdout).expect("text");

    let text = fs::read_to_string(docs("wire-cost.md")).expect("the page can be read");
    let (before, rest) = text.split_once("```text\n").expect("the page has a table");
    let (_, after) = rest.split_once("```\n").expect("the table has an end");
    is_current("wire-cost.md", &format!("{before}```text\n{table}```\n{after}"));
}

#[test]
fn the_plot_on_the_page_is_current() {
    is_current("wire-cost.svg", &plot::svg().expect("it can be drawn"));
}
