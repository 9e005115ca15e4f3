//! Tests that a [`Timer`], and heartbeats on it, keep the rules of `heartbeat`.
//!
//! It is for authors of a runtime adapter. Each scenario tests the timer itself, or a stream, a sink or a watchdog on that
//! timer. In real time a scenario takes a second or less, longer on a busy machine. In virtual time it takes
//! milliseconds, and all times are exact. The name of a scenario begins with the [rules](heartbeat_async::rules) that it tests.
//!
//! # Example
//!
//! The macro [`conformance!`] makes one test per scenario. Here the timer is the one for tests; for another one, implement
//! [`Runtime`].
//!
//! ```
//! use heartbeat_async::virtual_time::VirtualTime;
//!
//! heartbeat_conformance::conformance!(VirtualTime::new());
//! # for scenario in heartbeat_conformance::scenarios() {
//! #     heartbeat_conformance::check(&VirtualTime::new(), scenario).unwrap();
//! # }
//! ```

mod consumer;
mod executor;
#[cfg(test)]
mod faults;
mod flag_waker;
mod hang_guard;
mod heartbeats;
mod hubs;
mod open_stream;
mod scenarios;
mod source;
mod spy_timer;
mod subject;
mod test_bed;
mod test_result;
mod test_sink;
mod time_scale;

pub use time_scale::TimeScale;

/// For the tests of `heartbeat-async`.
#[doc(hidden)]
pub mod testing {
    pub use crate::source::Source;
    pub use crate::spy_timer::{SpyTimer, TimerCalls};
}

use std::fmt;
use std::future::Future;
use std::time::Duration;

use heartbeat_async::Timer;
use heartbeat_async::virtual_time::VirtualTime;

use executor::LocalExecutor;
use hubs::Hubs;
use scenarios::{sink, stream, timer, watchdog};
use subject::{OnHub, OnTimer, Subject};
use test_bed::TestBed;
use test_result::{Failed, TestResult};

/// A runtime under test.
pub trait Runtime {
    /// The timer of the runtime. Clones show the same time.
    type Timer: Timer + Clone + 'static;

    /// Makes a timer. Called from within [`block_on`](Self::block_on).
    fn timer(&self) -> Self::Timer;

    /// Runs a scenario to its end. A scenario waits for sleeps of the timer only.
    fn block_on<F: Future>(&self, scenario: F) -> F::Output;

    /// How long the scenarios take, and how late a sleep may be. Default: [`TimeScale::real`].
    fn time_scale(&self) -> TimeScale {
        TimeScale::real()
    }
}

impl Runtime for VirtualTime {
    type Timer = Self;

    fn timer(&self) -> Self {
        self.clone()
    }

    fn block_on<F: Future>(&self, scenario: F) -> F::Output {
        VirtualTime::block_on(self, scenario)
    }

    fn time_scale(&self) -> TimeScale {
        TimeScale::exact(Duration::ZERO)
    }
}

/// How long a scenario may go without being polled, in real time, before it counts as hanging.
const HANG_LIMIT: Duration = Duration::from_secs(60);

/// Why a runtime does not conform.
#[derive(Debug, Clone)]
pub struct Failure {
    scenario: String,
    failed: Failed,
    attempts: u32,
}

impl Failure {
    /// The name of the scenario.
    #[must_use]
    pub fn scenario(&self) -> &str {
        &self.scenario
    }

    /// Whether the scenario failed only because each attempt was too late to decide; no rule was seen to be broken.
    #[must_use]
    pub fn is_late(&self) -> bool {
        matches!(self.failed, Failed::TooLate(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failed {
            Failed::Wrong(what) => write!(f, "{}: {what}", self.scenario),
            Failed::TooLate(what) => {
                write!(f, "{}: {what}, in the last of {} attempts", self.scenario, self.attempts)
            }
        }
    }
}

impl std::error::Error for Failure {}

/// Runs one of the [`scenarios()`] on a runtime.
///
/// # Errors
///
/// Fails if a rule is broken, if each attempt was too late to decide, if the scenario is not polled for one to two minutes
/// of real time (a sleep was lost), or if no scenario has that name.
pub fn check<R: Runtime>(runtime: &R, scenario: &str) -> Result<(), Failure> {
    attempt(runtime, scenario, async |timer, time_scale| {
        let bed = TestBed::new(OnTimer(timer), time_scale);
        guarded(&LocalExecutor::default(), scenario, &bed).await
    })
}

/// Like [`check`], with all streams and sinks on a [`Hub`](heartbeat_async::Hub).
///
/// # Errors
///
/// As [`check`].
pub fn check_on_hub<R: Runtime>(runtime: &R, scenario: &str) -> Result<(), Failure> {
    attempt(runtime, scenario, async |timer, time_scale| {
        let (executor, hubs) = (LocalExecutor::default(), Hubs::default());
        executor.spawn(hubs.clone().run());
        let bed = TestBed::new(OnHub { timer, hubs }, time_scale);
        guarded(&executor, scenario, &bed).await
    })
}

/// Runs a scenario until it passes, breaks a rule or has failed in all its attempts.
fn attempt<R: Runtime>(
    runtime: &R,
    scenario: &str,
    run: impl AsyncFn(R::Timer, TimeScale) -> TestResult,
) -> Result<(), Failure> {
    let mut time_scale = runtime.time_scale();
    let mut attempts = 0;
    loop {
        let result = runtime.block_on(async {
            let timer = runtime.timer();
            let granularity = timer.granularity();
            run(timer, time_scale.coarser_than(granularity)).await
        });
        attempts += 1;
        match result {
            Ok(()) => return Ok(()),
            Err(Failed::TooLate(_)) if attempts < time_scale.attempts => {
                time_scale = time_scale.slower();
            }
            Err(failed) => return Err(Failure { scenario: scenario.to_owned(), failed, attempts }),
        }
    }
}

/// Runs a scenario, and ends it if it hangs.
async fn guarded<S: Subject>(
    executor: &LocalExecutor<'_>,
    scenario: &str,
    bed: &TestBed<S>,
) -> TestResult {
    let result = executor.run_with(run(scenario, bed));
    let result = hang_guard::with_watchdog(HANG_LIMIT, result).await;
    result.map_err(|failed| bed.consider_uncertainty(failed))
}

/// Passes the module and the name of each scenario to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __scenarios {
    ($to:path, $($arguments:tt)*) => {
        $to! {
            [$($arguments)*]
            timer::timer_is_on_time_and_wakes,
            timer::timer_moves_a_sleep_that_is_set,
            timer::timer_resets_a_sleep_that_is_ready,
            timer::timer_is_ready_at_once_after_its_deadline,
            timer::timer_wakes_the_last_waker,
            stream::t1_an_interval_of_zero_needs_no_clock_and_no_sleep,
            stream::t2_the_first_heartbeat_comes_after_one_interval,
            stream::t2_an_immediate_first_heartbeat_comes_at_once,
            stream::t3_t16_an_event_moves_the_deadline,
            stream::t4_a_heartbeat_is_never_early_and_never_missing,
            stream::t5_t17_an_idle_consumer_gets_one_heartbeat,
            stream::t6_t17_a_ready_item_goes_first_and_replaces_a_heartbeat,
            stream::t7_a_clock_that_runs_back_moves_no_deadline,
            stream::t8_an_interval_past_the_end_of_time_sends_nothing,
            stream::t9_no_heartbeat_follows_stop,
            stream::t10_t19_a_heartbeat_before_a_drop_is_one_error,
            stream::t11_jitter_only_shortens,
            stream::t11_streams_opened_together_drift_apart,
            stream::t12_a_dead_producer_is_given_up_once_until_it_sends,
            stream::t12_t21_other_heartbeats_end_the_silence_but_are_no_events,
            stream::t16_a_burst_reads_no_clock_and_sets_no_sleep,
            stream::t16_the_sleep_is_set_once_per_interval_at_most,
            stream::t16_the_last_waker_is_woken,
            stream::t16_an_earlier_waker_is_forgotten,
            stream::t16_an_item_taken_as_the_sleep_ends_is_followed_by_a_heartbeat,
            stream::t16_a_sleep_that_is_early_does_not_spin,
            stream::t17_the_end_is_the_end,
            stream::t17_no_heartbeat_follows_an_error,
            stream::t17_no_heartbeat_inside_a_message,
            stream::t17_items_pass_once_and_in_order,
            stream::t19_outcomes_are_reported,
            stream::t21_two_wrappers_send_no_more_than_one,
            sink::t1_sink_an_interval_of_zero_costs_nothing,
            sink::t2_sink_an_immediate_first_heartbeat_comes_at_once,
            sink::t3_sink_a_send_moves_the_deadline,
            sink::t3_sink_a_failed_send_moves_nothing,
            sink::t5_sink_a_blocked_sink_gets_one_heartbeat,
            sink::t6_sink_an_event_that_waited_replaces_a_heartbeat,
            sink::t6_sink_an_event_that_is_flushed_late_replaces_a_heartbeat,
            sink::t9_sink_no_heartbeat_follows_stop,
            sink::t10_sink_a_failed_heartbeat_ends_the_driver_alone,
            sink::t10_sink_an_error_reaches_the_send_that_caused_it,
            sink::t12_sink_a_dead_producer_is_given_up_once_until_it_sends,
            sink::t16_sink_the_sleep_is_set_once_per_interval_at_most,
            sink::t16_sink_a_heartbeat_wakes_the_driver_once,
            sink::t18_sink_a_poll_polls_the_sink_once,
            sink::t18_sink_the_driver_goes_on_after_a_dropped_send,
            sink::t18_sink_a_dropped_close_is_flushed_by_the_driver,
            sink::t17_sink_no_heartbeat_inside_a_message,
            sink::t17_sink_no_heartbeat_follows_an_error,
            sink::t18_sink_a_dropped_send_leaves_an_item_whole_or_not_at_all,
            sink::t18_sink_senders_go_first_come_first_served,
            sink::t18_sink_the_driver_ends_with_the_last_sender,
            sink::t18_sink_the_last_item_is_flushed,
            sink::t18_sink_close_stops_the_heartbeats_first,
            sink::t18_sink_senders_work_without_a_driver,
            sink::t19_sink_a_heartbeat_is_reported_when_it_is_flushed,
            sink::t20_sink_a_stalled_peer_is_reported_once,
            sink::t20_sink_a_stalled_peer_does_not_delay_the_end,
            sink::t21_sink_other_heartbeats_end_the_silence_but_are_no_events,
            watchdog::t1_watchdog_a_timeout_of_zero_needs_no_clock_and_no_sleep,
            watchdog::t7_watchdog_a_clock_that_runs_back_moves_no_deadline,
            watchdog::t8_watchdog_a_timeout_past_the_end_of_time_never_comes,
            watchdog::t14_watchdog_a_silent_peer_is_reported_once_and_never_early,
            watchdog::t14_watchdog_an_item_restarts_the_timeout,
            watchdog::t14_watchdog_a_skipped_heartbeat_restarts_the_timeout,
            watchdog::t14_watchdog_an_idle_consumer_gets_what_has_come,
            watchdog::t14_watchdog_the_end_is_no_silence,
            watchdog::t16_watchdog_a_burst_reads_no_clock_and_sets_no_sleep,
            watchdog::t16_watchdog_the_sleep_is_set_once_per_timeout_at_most,
            watchdog::t16_watchdog_the_last_waker_is_woken,
            watchdog::t16_watchdog_a_sleep_that_is_early_does_not_spin,
        }
    };
}

macro_rules! list {
    ([] $($module:ident::$name:ident,)+) => {
        /// The names of all scenarios.
        #[must_use]
        pub const fn scenarios() -> &'static [&'static str] {
            &[$(stringify!($name)),+]
        }

        async fn run<S: Subject>(scenario: &str, bed: &TestBed<S>) -> TestResult {
            match scenario {
                $(stringify!($name) => $module::$name(bed).await,)+
                _ => Err(Failed::Wrong(String::from("no scenario has that name"))),
            }
        }
    };
}
__scenarios!(list,);

/// Makes one test per scenario, on the [`Runtime`] that the expression returns. See the [documentation of the crate](crate) for
/// an example.
///
/// `conformance!(hub: …)` makes the tests of streams and sinks with each of them on a [`Hub`](heartbeat_async::Hub).
#[macro_export]
macro_rules! conformance {
    (hub: $runtime:expr) => {
        $crate::__scenarios! { $crate::__conformance_on_hub, $runtime }
    };
    ($runtime:expr) => {
        $crate::__scenarios! { $crate::__conformance_tests, check, $runtime }
    };
}

/// Leaves out the scenarios that have no hub.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_on_hub {
    ([$runtime:expr]) => {};
    ([$runtime:expr] timer::$name:ident, $($rest:tt)*) => {
        $crate::__conformance_on_hub! { [$runtime] $($rest)* }
    };
    ([$runtime:expr] watchdog::$name:ident, $($rest:tt)*) => {
        $crate::__conformance_on_hub! { [$runtime] $($rest)* }
    };
    ([$runtime:expr] $module:ident::$name:ident, $($rest:tt)*) => {
        $crate::__conformance_tests! { [check_on_hub, $runtime] $module::$name, }
        $crate::__conformance_on_hub! { [$runtime] $($rest)* }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$check:ident, $runtime:expr] $($module:ident::$name:ident,)+) => {
        $(
            #[test]
            fn $name() {
                let result = $crate::$check(&$runtime, stringify!($name));
                result.unwrap_or_else(|failure| panic!("{failure}"));
            }
        )+
    };
}
