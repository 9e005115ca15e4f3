//! The table and the plot in `docs/wire-cost.md` are current.

mod plot;
#[path = "../../../../benches/src/bin/page/theme.rs"]
mod theme;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use heartbeat_frame::HeartbeatMessage;
use heartbeat_frame::cost::{Cost, Frame, Http, Ip, Rate, Transport};

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
fn the_figures_in_the_text_are_those_of_the_table() {
    let frame = Frame::envelope(&HeartbeatMessage::gateway_event());
    let cost = |ip| Cost::new(frame, Transport { http: Http::Http2, tls: false, ip });
    let (plain, ipv6) = (cost(Ip::V4), cost(Ip::V6).total_bytes());
    let segment = (plain.total_bytes() - plain.wire_bytes()) / 2;
    let day = |bytes| {
        let rate = Rate { interval: Duration::from_secs(15), streams: 1 };
        f64::from(u32::try_from(rate.bytes_per_day(bytes)).expect("one stream has few"))
    };
    // A client that answers: a PING and two WINDOW_UPDATEs, and the acknowledgement of the PING, in five segments.
    let answered = plain.wire_bytes() + 17 + 17 + 2 * 13 + 5 * segment;

    let page = fs::read_to_string(docs("wire-cost.md")).expect("the page can be read");
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        format!("IPv6** adds {} bytes to each segment", (ipv6 - plain.total_bytes()) / 2),
        format!("| {answered} B | {:.2} MB |", day(answered) / 1e6),
        format!("| {} B | {:.0} kB |", plain.total_bytes(), day(plain.total_bytes()) / 1e3),
    ] {
        assert!(page.contains(&part), "{part}");
    }
}

#[test]
fn the_plot_on_the_page_is_current() {
    is_current("wire-cost.svg", &plot::svg().expect("it can be drawn"));
}
