//! Which faults each scenario of the conformance suite notices.

use std::fmt::Write;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use heartbeat_faults::heartbeat_async::conformance::{check, scenarios};
use heartbeat_faults::heartbeat_async::virtual_time::VirtualTime;
use heartbeat_faults::{FAULTS, seed};

/// Whether the scenario passes, with alarms that are exact and with some that go off in batches.
fn passes(scenario: &str, fault: Option<usize>) -> bool {
    seed(fault);
    [Duration::ZERO, Duration::from_millis(156)].into_iter().all(|granularity| {
        let time = VirtualTime::new().with_granularity(granularity);
        let played = panic::catch_unwind(AssertUnwindSafe(|| check(&time, scenario)));
        matches!(played, Ok(Ok(())))
    })
}

#[test]
fn every_scenario_notices_a_fault_and_every_fault_is_noticed() {
    for scenario in scenarios() {
        assert!(passes(scenario, None), "{scenario} fails, and nothing is wrong");
    }
    let loud = panic::take_hook();
    panic::set_hook(Box::new(|_| {})); // whatever a fault leads to
    let noticed: Vec<Vec<bool>> = scenarios()
        .iter()
        .map(|scenario| (0..FAULTS.len()).map(|fault| !passes(scenario, Some(fault))).collect())
        .collect();
    panic::set_hook(loud);

    let notice = |fault: usize| noticed.iter().filter(|row| row[fault]).count();
    for (number, fault) in FAULTS.iter().enumerate() {
        assert!(notice(number) > 0, "no scenario notices that {}", fault.name);
    }
    // One that nobody could miss says little about a scenario.
    let telling = |fault: &usize| 3 * notice(*fault) <= 2 * scenarios().len();
    for (scenario, row) in scenarios().iter().zip(&noticed) {
        let mut own = (0..FAULTS.len()).filter(telling);
        assert!(own.any(|fault| row[fault]), "{scenario} notices no fault of its own");
    }
    is_printed(&format!("```text\n{}```\n", table(&noticed)));
}

/// Makes sure of the table in the docs, or renews it if `HEARTBEAT_REGENERATE` is set.
fn is_printed(table: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md");
    let text = fs::read_to_string(&page).expect("the page can be read");
    let (before, rest) = text.split_once("```text\n").expect("the page has a table");
    let (_, after) = rest.split_once("```\n").expect("the table has an end");
    let renewed = format!("{before}{table}{after}");
    if env::var_os("HEARTBEAT_REGENERATE").is_some() {
        fs::write(page, &renewed).expect("the page can be written");
    } else {
        assert!(text == renewed, "docs/conformance.md is old: see there how to renew its table");
    }
}

fn table(noticed: &[Vec<bool>]) -> String {
    let mut table = String::new();
    for (number, fault) in (1..).zip(FAULTS) {
        writeln!(table, "{number:>2}  {}", fault.name).expect("a string takes it");
    }
    let width = scenarios().iter().map(|name| name.len()).max().unwrap_or(0);
    for power in [10, 1] {
        write!(table, "\n{:width$}", "").expect("a string takes it");
        for number in 1..=FAULTS.len() {
            match number / power {
                0 => table.push_str("  "),
                digits => write!(table, " {}", digits % 10).expect("a string takes it"),
            }
        }
    }
    for (scenario, row) in scenarios().iter().zip(noticed) {
        write!(table, "\n{scenario:width$}").expect("a string takes it");
        for noticed in row {
            table.push_str(if *noticed { " x" } else { " ." });
        }
    }
    table.push('\n');
    table
}
