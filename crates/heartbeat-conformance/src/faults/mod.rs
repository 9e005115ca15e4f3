//! Tests of the suite itself: each timer, stream and sink that is wrong on purpose makes a scenario fail.

mod meanings;
mod sinks;
mod streams;
mod timers;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use heartbeat_async::virtual_time::VirtualTime;

use crate::executor::LocalExecutor;
use crate::subject::{OnTimer, Subject};
use crate::test_bed::TestBed;
use crate::{Failure, TimeScale, attempt, check, guarded, scenarios};
use meanings::{MEANINGS, Meaning};
use sinks::{FaultySinks, SinkFault};
use streams::{FaultyStreams, StreamFault};
use timers::{FaultyRuntime, TimerFault};

fn check_timer(fault: TimerFault, scenario: &str) -> Result<(), Failure> {
    check(&FaultyRuntime { time: VirtualTime::new(), fault }, scenario)
}

fn check_stream(fault: StreamFault, scenario: &str) -> Result<(), Failure> {
    check_subject(|on_timer| FaultyStreams { on_timer, fault }, scenario)
}

fn check_sink(fault: SinkFault, scenario: &str) -> Result<(), Failure> {
    check_subject(|on_timer| FaultySinks { on_timer, fault }, scenario)
}

fn check_subject<S: Subject>(
    subject: impl Fn(OnTimer<VirtualTime>) -> S,
    scenario: &str,
) -> Result<(), Failure> {
    attempt(&VirtualTime::new(), scenario, async |timer, time_scale: TimeScale| {
        let bed = TestBed::new(subject(OnTimer(timer)), time_scale);
        guarded(&LocalExecutor::default(), scenario, &bed).await
    })
}

/// Whether a scenario fails: with an error, or with a panic where a wake-up is lost or code spins.
fn fails(check: impl FnOnce() -> Result<(), Failure>) -> bool {
    !matches!(catch_unwind(AssertUnwindSafe(check)), Ok(Ok(())))
}

const TIMERS: [(TimerFault, &str, &str); 13] = [
    (TimerFault::Early, "is ready 1 ms early", "t4_a_heartbeat_is_never_early_and_never_missing"),
    (TimerFault::Late, "is ready 1 ms late", "timer_is_on_time_and_wakes"),
    (
        TimerFault::UnderstatedGranularity,
        "is ready earlier than its granularity says",
        "t3_t16_an_event_moves_the_deadline",
    ),
    (TimerFault::KeepsFirstWaker, "keeps the first waker", "timer_wakes_the_last_waker"),
    (TimerFault::LosesFirstWaker, "loses the first waker", "t16_an_earlier_waker_is_forgotten"),
    (TimerFault::WakesNoTask, "wakes no task", "timer_is_on_time_and_wakes"),
    (TimerFault::IgnoresReset, "ignores `reset`", "timer_moves_a_sleep_that_is_set"),
    (
        TimerFault::IgnoresEarlierReset,
        "ignores `reset` to an earlier deadline",
        "timer_moves_a_sleep_that_is_set",
    ),
    (TimerFault::StaysReady, "stays ready after `reset`", "timer_resets_a_sleep_that_is_ready"),
    (
        TimerFault::MissesPastDeadline,
        "is never ready for a deadline that has passed",
        "timer_is_ready_at_once_after_its_deadline",
    ),
    (TimerFault::NeverReady, "wakes its task, and is not ready", "timer_wakes_the_last_waker"),
    (
        TimerFault::SlowClock,
        "has a clock that is slower than its sleeps",
        "t2_the_first_heartbeat_comes_after_one_interval",
    ),
    (TimerFault::StoppedClock, "has a clock that stands still", "t19_outcomes_are_reported"),
];

const STREAMS: [(StreamFault, &str, &str); 19] = [
    (StreamFault::LosesItems, "loses items", "t17_items_pass_once_and_in_order"),
    (StreamFault::ReversesItems, "reorders items", "t17_items_pass_once_and_in_order"),
    (StreamFault::DelaysItems, "keeps items back", "t3_t16_an_event_moves_the_deadline"),
    (StreamFault::LosesWaker, "registers no waker", "t16_the_last_waker_is_woken"),
    (StreamFault::KeepsFirstWaker, "keeps the first waker", "t16_the_last_waker_is_woken"),
    (
        StreamFault::ReadsClock,
        "reads the clock for each item",
        "t16_a_burst_reads_no_clock_and_sets_no_sleep",
    ),
    (
        StreamFault::SetsSleep,
        "sets a sleep for each item",
        "t16_the_sleep_is_set_once_per_interval_at_most",
    ),
    (StreamFault::PollsAfterEnd, "polls after the end", "t17_the_end_is_the_end"),
    (StreamFault::NeverTerminated, "is never terminated", "t17_the_end_is_the_end"),
    (
        StreamFault::HeartbeatAfterError,
        "sends a heartbeat after an error",
        "t17_no_heartbeat_follows_an_error",
    ),
    (
        StreamFault::HeartbeatInsideMessage,
        "sends a heartbeat inside a message",
        "t17_no_heartbeat_inside_a_message",
    ),
    (
        StreamFault::CountsOtherHeartbeats,
        "counts heartbeats from elsewhere as events",
        "t12_t21_other_heartbeats_end_the_silence_but_are_no_events",
    ),
    (StreamFault::IgnoresStop, "ignores `stop`", "t9_no_heartbeat_follows_stop"),
    (
        StreamFault::AlwaysImmediate,
        "always sends the first heartbeat at once",
        "t2_the_first_heartbeat_comes_after_one_interval",
    ),
    (
        StreamFault::NeverImmediate,
        "never sends the first heartbeat at once",
        "t2_an_immediate_first_heartbeat_comes_at_once",
    ),
    (
        StreamFault::NeverGivesUp,
        "never gives up on a producer",
        "t12_a_dead_producer_is_given_up_once_until_it_sends",
    ),
    (StreamFault::NoJitter, "ignores jitter", "t11_jitter_only_shortens"),
    (
        StreamFault::LateHeartbeats,
        "sends heartbeats late",
        "t4_a_heartbeat_is_never_early_and_never_missing",
    ),
    (StreamFault::ReportsNothing, "reports nothing", "t19_outcomes_are_reported"),
];

const SINKS: [(SinkFault, &str, &str); 9] = [
    (SinkFault::WakesNoTask, "wakes no task", "t5_sink_a_blocked_sink_gets_one_heartbeat"),
    (
        SinkFault::KeepsFirstWaker,
        "keeps the first waker",
        "t18_sink_senders_go_first_come_first_served",
    ),
    (SinkFault::LosesItems, "loses items", "t3_sink_a_send_moves_the_deadline"),
    (SinkFault::ReversesItems, "reorders items", "t18_sink_senders_go_first_come_first_served"),
    (SinkFault::DuplicatesItems, "sends items twice", "t3_sink_a_send_moves_the_deadline"),
    (SinkFault::NeverFlushes, "never flushes", "t18_sink_the_last_item_is_flushed"),
    (
        SinkFault::AlwaysReady,
        "is always ready",
        "t6_sink_an_event_that_waited_replaces_a_heartbeat",
    ),
    (SinkFault::HidesErrors, "hides errors", "t10_sink_a_failed_heartbeat_ends_the_driver_alone"),
    (SinkFault::NeverCloses, "never closes", "t18_sink_close_stops_the_heartbeats_first"),
];

#[test]
fn wrong_timers_fail() {
    for (fault, what, scenario) in TIMERS {
        assert!(fails(|| check_timer(fault, scenario)), "{scenario} passes on a timer that {what}");
        let mut of_timers = scenarios().iter().filter(|name| name.starts_with("timer_"));
        assert!(
            of_timers.any(|scenario| fails(|| check_timer(fault, scenario))),
            "a timer that {what} passes `timer_…`"
        );
    }
}

#[test]
fn wrong_streams_fail() {
    for (fault, what, scenario) in STREAMS {
        assert!(
            fails(|| check_stream(fault, scenario)),
            "{scenario} passes on a stream that {what}"
        );
    }
}

#[test]
fn wrong_sinks_fail() {
    for (fault, what, scenario) in SINKS {
        assert!(fails(|| check_sink(fault, scenario)), "{scenario} passes on a sink that {what}");
    }
}

/// So that it is the fault that fails, and not the code around it.
#[test]
fn the_same_code_without_a_fault_passes() {
    for scenario in scenarios() {
        check_timer(TimerFault::None, scenario).unwrap();
        check_stream(StreamFault::None, scenario).unwrap();
        check_sink(SinkFault::None, scenario).unwrap();
    }
}

/// `docs/conformance.md` lists the faults.
#[test]
fn the_page_lists_the_faults() {
    let timers = TIMERS.map(|(_, what, scenario)| ("timer", what, scenario));
    let streams = STREAMS.map(|(_, what, scenario)| ("stream", what, scenario));
    let sinks = SINKS.map(|(_, what, scenario)| ("sink", what, scenario));
    let mut table = String::from("| a | that | fails |\n|---|---|---|\n");
    for (subject, what, scenario) in timers.iter().chain(&streams).chain(&sinks) {
        writeln!(table, "| {subject} | {what} | `{scenario}` |").unwrap();
    }
    check_page("faults", &table);
}

/// `docs/conformance.md` says for each scenario what a failure means.
#[test]
fn the_page_explains_each_scenario() {
    let prefixes = || MEANINGS.iter().flat_map(|meaning| meaning.scenarios);
    for scenario in scenarios() {
        let meanings = prefixes().filter(|prefix| scenario.starts_with(**prefix)).count();
        assert_eq!(meanings, 1, "the number of meanings of {scenario}");
    }
    for prefix in prefixes() {
        assert!(scenarios().iter().any(|name| name.starts_with(prefix)), "no scenario {prefix}");
    }

    let mut table = String::from("| fails | means | usual cause |\n|---|---|---|\n");
    for Meaning { scenarios: prefixes, means, usual_cause } in &MEANINGS {
        let names = prefixes.iter().map(|prefix| {
            let more = if scenarios().contains(prefix) { "" } else { "…" };
            format!("`{prefix}{more}`")
        });
        let names: Vec<_> = names.collect();
        writeln!(table, "| {} | {means} | {usual_cause} |", names.join(", ")).unwrap();
    }
    check_page("meanings", &table);
}

/// Compares a table of `docs/conformance.md` with the code. With `HEARTBEAT_REGENERATE=1` it writes the table.
fn check_page(name: &str, table: &str) {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/conformance.md");
    let _one_at_a_time = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let text = std::fs::read_to_string(page).unwrap();
    let (before, rest) = text.split_once(&begin).unwrap();
    let (listed, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("HEARTBEAT_REGENERATE").is_some() {
        std::fs::write(page, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(
            listed, table,
            "HEARTBEAT_REGENERATE=1 cargo test -p heartbeat-conformance renews the page"
        );
    }
}

/// Tests that write the page do so one after the other.
static PAGE: Mutex<()> = Mutex::new(());
