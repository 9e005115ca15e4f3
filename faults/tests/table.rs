//! Which faults each scenario of the conformance suite notices, and which each test of the hub.

use std::fmt::Write;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use heartbeat_faults::heartbeat_async::conformance::{Failure, check, check_on_hub, scenarios};
use heartbeat_faults::heartbeat_async::virtual_time::VirtualTime;
use heartbeat_faults::{FAULTS, seed};

#[allow(warnings, clippy::pedantic, reason = "it is a copy")]
mod hub {
    include!(concat!(env!("OUT_DIR"), "/hub_tests.rs"));
}

/// What is played.
#[derive(Clone, Copy)]
enum Play {
    Scenario(&'static str),
    TestOfHub(&'static str, fn()),
}

/// The scenarios, and the tests of the hub.
fn plays() -> Vec<Play> {
    let scenarios = scenarios().iter().copied().map(Play::Scenario);
    let tests = hub::TESTS.iter().map(|&(name, test)| Play::TestOfHub(name, test));
    scenarios.chain(tests).collect()
}

impl Play {
    fn name(self) -> &'static str {
        let (Self::Scenario(name) | Self::TestOfHub(name, _)) = self;
        name
    }

    /// The tests of the hub are tried on what is wrong with the hub.
    fn is_tried_on(self, fault: usize) -> bool {
        let fault = FAULTS[fault];
        let is_of_hub = fault.file.contains("/hub/") || fault.name.contains("hub");
        matches!(self, Self::Scenario(_)) || is_of_hub
    }

    /// Whether it passes. A scenario has to with alarms that are exact and with some that go off in
    /// batches, on timers and on hubs.
    fn passes(self, fault: Option<usize>) -> bool {
        seed(fault);
        let scenario = match self {
            Self::Scenario(name) => name,
            Self::TestOfHub(_, test) => return panic::catch_unwind(test).is_ok(),
        };
        // Its seeds are new each time, and what it notices on a hub depends on them.
        let is_drawn = scenario == "t11_streams_opened_together_drift_apart";
        [Duration::ZERO, Duration::from_millis(156)].into_iter().all(|granularity| {
            let time = VirtualTime::new().with_granularity(granularity);
            let passes = |check: fn(&VirtualTime, &str) -> Result<(), Failure>| {
                let played = panic::catch_unwind(AssertUnwindSafe(|| check(&time, scenario)));
                matches!(played, Ok(Ok(())))
            };
            passes(check) && (is_drawn || passes(check_on_hub))
        })
    }
}

#[test]
fn every_scenario_notices_a_fault_and_every_fault_is_noticed() {
    let plays = plays();
    for play in &plays {
        assert!(play.passes(None), "{} fails, and nothing is wrong", play.name());
    }
    let loud = panic::take_hook();
    panic::set_hook(Box::new(|_| {})); // whatever a fault leads to
    let fails = |play: &Play, fault| play.is_tried_on(fault) && !play.passes(Some(fault));
    let noticed: Vec<Vec<bool>> = plays
        .iter()
        .map(|play| (0..FAULTS.len()).map(|fault| fails(play, fault)).collect())
        .collect();
    panic::set_hook(loud);

    let notice = |fault: usize| noticed.iter().filter(|row| row[fault]).count();
    for (number, fault) in FAULTS.iter().enumerate() {
        assert!(notice(number) > 0, "nothing notices that {}", fault.name);
    }
    // One that nobody could miss says little about a scenario.
    let telling = |fault: &usize| 3 * notice(*fault) <= 2 * plays.len();
    for (play, row) in plays.iter().zip(&noticed) {
        let mut own = (0..FAULTS.len()).filter(telling);
        assert!(own.any(|fault| row[fault]), "{} notices no fault of its own", play.name());
    }
    is_printed(&format!("```text\n{}```\n", table(&plays, &noticed)));
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

fn table(plays: &[Play], noticed: &[Vec<bool>]) -> String {
    let mut table = String::new();
    for (number, fault) in (1..).zip(FAULTS) {
        writeln!(table, "{number:>3}  {}", fault.name).expect("a string takes it");
    }
    let width = plays.iter().map(|play| play.name().len()).max().unwrap_or(0);
    for power in [100, 10, 1] {
        write!(table, "\n{:width$}", "").expect("a string takes it");
        for number in 1..=FAULTS.len() {
            match number / power {
                0 => table.push_str("  "),
                digits => write!(table, " {}", digits % 10).expect("a string takes it"),
            }
        }
    }
    for (play, row) in plays.iter().zip(noticed) {
        write!(table, "\n{:width$}", play.name()).expect("a string takes it");
        for (fault, noticed) in row.iter().enumerate() {
            table.push_str(match noticed {
                true => " x",
                false if play.is_tried_on(fault) => " .",
                false => "  ",
            });
        }
        table.truncate(table.trim_end().len());
    }
    table.push('\n');
    table
}
