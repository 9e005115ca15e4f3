//! Scenarios that hold the timer rules on any runtime.
//!
//! Needs the feature `conformance`, and std. Whoever writes a [`Timer`] runs them on it: they make
//! sure of the timer, and of the glue on that timer. Where time is real a scenario takes a second or
//! less and leaves room for a busy machine, on which it takes longer; where it is virtual everything
//! is exact.
//!
//! What each scenario is about says its name, and the rules (T1, T2, …) that it names stand in the
//! repository's `docs/timer-semantics.md`.
//!
//! # Example
//!
//! A test for each scenario, here on the timer for tests; for another, implement [`Runtime`]. The
//! adapters of this repository do so in their `tests/conformance.rs`, and `docs/integrating.md` shows
//! a timer that is none of ours.
//!
//! ```
//! use heartbeat_async::virtual_time::VirtualTime;
//!
//! heartbeat_async::conformance!(VirtualTime::new());
//! # for scenario in heartbeat_async::conformance::scenarios() {
//! #     heartbeat_async::conformance::check(&VirtualTime::new(), scenario).unwrap();
//! # }
//! ```

use core::fmt;
use core::future::Future;
use core::time::Duration;
use std::string::String;

use crate::Timer;
use crate::virtual_time::VirtualTime;

mod beats;
mod hubs;
mod paced;
mod patience;
mod push;
mod source;
mod spy;
mod stage;
mod stream;
mod tasks;
mod timer;
mod watch;
mod wire;

use hubs::Hubs;
use stage::{Stage, Trouble, Verdict};
use tasks::Tasks;

/// A runtime under test.
pub trait Runtime {
    /// Its timer. Clones show the same time.
    type Timer: Timer + Clone;

    /// Makes a timer. Called from within [`block_on`](Self::block_on).
    fn timer(&self) -> Self::Timer;

    /// Runs a scenario to its end on the runtime. All that it waits for are alarms of the timer.
    fn block_on<F: Future>(&self, scenario: F) -> F::Output;

    /// How fast to go. Default: [`Pace::real`].
    fn pace(&self) -> Pace {
        Pace::real()
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

    fn pace(&self) -> Pace {
        Pace::exact(Duration::ZERO)
    }
}

/// How long the scenarios take, and how exact they are.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Most intervals are ten of these.
    tick: Duration,
    /// How late an alarm may be.
    late: Duration,
    /// How often a scenario does the same again.
    rounds: u32,
    /// How often a scenario is played before it counts as failed because something came too late.
    performances: u32,
}

impl Pace {
    /// For a runtime whose time passes by itself: a tick of 10 ms, by which alarms may be late, and
    /// few repetitions.
    ///
    /// A scenario in which something was later than that, or its own looks at the clock were too far
    /// apart to tell, is played again at half the pace, six times at most: the machine may have been
    /// busy. At the last time an alarm may be 320 ms late, so that a timer must be later than that,
    /// time after time, to fail for it.
    #[must_use]
    pub const fn real() -> Self {
        let tick = Duration::from_millis(10);
        Self { tick, late: tick, rounds: 3, performances: 6 }
    }

    /// For a runtime whose time passes only when all wait for it: a tick of a second, alarms that
    /// may be late by no more than `late` (for the coarseness of a clock), and many repetitions.
    /// A scenario is played once.
    #[must_use]
    pub const fn exact(late: Duration) -> Self {
        Self { tick: Duration::from_secs(1), late, rounds: 100, performances: 1 }
    }

    /// The same with another tick, which must be longer than alarms may be late. For timers that are
    /// coarser than [`real`](Self::real) allows.
    #[must_use]
    pub const fn with_tick(self, tick: Duration) -> Self {
        Self { tick, ..self }
    }

    /// The same with alarms that may be late by as much.
    #[must_use]
    pub const fn with_late(self, late: Duration) -> Self {
        Self { late, ..self }
    }

    fn slower(self) -> Self {
        Self { tick: self.tick.saturating_mul(2), late: self.late.saturating_mul(2), ..self }
    }

    /// A tick is no shorter than the timer's granularity: what may happen a granularity earlier
    /// still happens between the same two steps of a scenario.
    fn coarser_than(self, granularity: Duration) -> Self {
        Self { tick: self.tick.max(granularity), ..self }
    }
}

/// How long nothing may happen, in real time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a runtime does not conform.
#[derive(Debug, Clone)]
pub struct Failure {
    scenario: String,
    trouble: Trouble,
    performances: u32,
}

impl Failure {
    /// The name of the scenario.
    #[must_use]
    pub fn scenario(&self) -> &str {
        &self.scenario
    }

    /// Whether nothing was seen to be wrong, but something came too late to tell, each time that the
    /// scenario was played.
    #[must_use]
    pub fn is_late(&self) -> bool {
        matches!(self.trouble, Trouble::Late(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.trouble {
            Trouble::Wrong(what) => write!(f, "{}: {what}", self.scenario),
            Trouble::Late(what) => {
                write!(f, "{}: {what}, the last of {} times", self.scenario, self.performances)
            }
        }
    }
}

impl core::error::Error for Failure {}

/// Plays one of the [`scenarios`] on a runtime.
///
/// # Errors
///
/// If what happens is against the rules, if it happened too late each time that it was tried, if
/// nothing happened for a minute or two of real time (an alarm was lost), or if there is no such scenario.
pub fn check<R: Runtime>(runtime: &R, scenario: &str) -> Result<(), Failure> {
    perform(runtime, scenario, false)
}

/// The same with all streams and sinks on a [`Hub`](crate::Hub) on the runtime's timer.
///
/// # Errors
///
/// As those of [`check`].
pub fn check_on_hub<R: Runtime>(runtime: &R, scenario: &str) -> Result<(), Failure> {
    perform(runtime, scenario, true)
}

fn perform<R: Runtime>(runtime: &R, scenario: &str, on_hub: bool) -> Result<(), Failure> {
    let mut pace = runtime.pace();
    let mut performances = 0;
    loop {
        let played = runtime.block_on(async {
            let timer = runtime.timer();
            let (tasks, hubs) = (Tasks::default(), Hubs::default());
            let mut stage = Stage::new(timer.clone(), pace.coarser_than(timer.granularity()));
            if on_hub {
                tasks.spawn(hubs.clone().run());
                stage = stage.with_hubs(hubs);
            }
            let played = tasks.beside(play(scenario, &stage));
            patience::with(PATIENCE, played).await.map_err(|trouble| stage.doubt(trouble))
        });
        performances += 1;
        match played {
            Ok(()) => return Ok(()),
            Err(Trouble::Late(_)) if performances < pace.performances => pace = pace.slower(),
            Err(trouble) => {
                let scenario = String::from(scenario);
                return Err(Failure { scenario, trouble, performances });
            }
        }
    }
}

/// Hands the name of each scenario, and the file where it stands, to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __scenarios {
    ($to:path, $($arguments:tt)*) => {
        $to! {
            [$($arguments)*]
            timer::timer_goes_off_in_time_and_wakes,
            timer::timer_moves_an_alarm_that_is_set,
            timer::timer_sets_an_alarm_again_that_has_gone_off,
            timer::timer_goes_off_at_once_if_the_deadline_has_passed,
            timer::timer_wakes_whoever_polled_last,
            stream::t1_an_interval_of_zero_passes_through_without_clock_or_alarm,
            stream::t2_the_first_beat_comes_a_gap_after_birth,
            stream::t2_a_prompt_beat_comes_at_once,
            stream::t3_t16_a_send_moves_the_deadline,
            stream::t4_a_beat_is_never_early_and_never_missing,
            stream::t5_t17_who_was_away_gets_one_beat,
            stream::t6_t17_a_ready_item_goes_first_and_takes_the_place_of_a_beat,
            stream::t7_a_clock_that_runs_back_moves_no_deadline_back,
            stream::t8_an_interval_past_the_end_of_time_never_beats,
            stream::t9_nothing_beats_after_stop,
            stream::t10_t19_a_beat_that_nobody_came_back_from_is_an_error_once,
            stream::t11_jitter_pulls_earlier_only,
            stream::t11_streams_opened_together_drift_apart,
            stream::t12_a_dead_producer_is_given_up_once_until_it_sends_again,
            stream::t12_t21_foreign_beats_break_the_silence_but_show_no_life,
            stream::t16_a_burst_reads_no_clock_and_sets_no_alarm,
            stream::t16_the_alarm_is_moved_once_per_gap_at_most,
            stream::t16_whoever_polled_last_is_woken,
            stream::t16_whoever_polls_between_is_forgotten,
            stream::t16_an_item_taken_as_the_alarm_goes_off_is_followed_by_a_beat,
            stream::t16_an_alarm_that_is_too_early_does_not_spin,
            stream::t17_the_end_is_the_end,
            stream::t17_no_beat_follows_an_error_until_something_else_does,
            stream::t17_no_beat_stands_within_a_message,
            stream::t17_items_pass_once_and_in_order,
            stream::t19_what_becomes_of_beats_is_told,
            stream::t21_two_wrappers_beat_no_more_than_one,
            push::t1_push_an_interval_of_zero_costs_nothing,
            push::t2_push_a_prompt_beat_comes_at_once,
            push::t3_push_a_send_moves_the_deadline,
            push::t3_push_a_send_that_failed_moves_nothing,
            push::t5_push_after_a_long_block_one_beat_is_owed,
            push::t6_push_a_real_item_that_waited_is_followed_by_no_beat,
            push::t6_push_a_real_item_slow_to_leave_is_followed_by_no_beat,
            push::t9_push_no_beat_follows_a_stop_that_has_returned,
            push::t10_push_a_beat_that_fails_ends_the_driver_alone,
            push::t10_push_an_error_reaches_who_has_caused_it,
            push::t12_push_a_dead_producer_is_given_up_once_until_it_sends_again,
            push::t16_push_the_alarm_is_moved_once_per_gap_at_most,
            push::t16_push_a_beat_wakes_its_driver_once,
            push::t18_push_a_sink_that_wakes_itself_is_asked_once_a_time,
            push::t18_push_the_driver_asks_again_after_a_sender_that_was_dropped,
            push::t18_push_a_close_that_was_dropped_leaves_nothing_behind,
            push::t17_push_no_beat_stands_within_a_message,
            push::t18_push_a_send_that_was_dropped_leaves_an_item_whole_or_none,
            push::t18_push_senders_take_their_turns,
            push::t18_push_the_driver_ends_when_every_sender_is_gone,
            push::t18_push_what_the_last_sender_fed_is_flushed,
            push::t18_push_closing_ends_the_beats_first,
            push::t18_push_senders_go_on_without_a_driver,
            push::t19_push_a_beat_is_told_when_it_is_out,
            push::t20_push_a_peer_that_does_not_read_is_told_once,
            push::t20_push_a_peer_that_does_not_read_delays_no_end_for_ever,
            push::t21_push_foreign_beats_break_the_silence_but_show_no_life,
            watch::t1_watch_a_timeout_of_zero_passes_through_without_clock_or_alarm,
            watch::t7_watch_a_clock_that_runs_back_moves_no_deadline_back,
            watch::t8_watch_a_timeout_past_the_end_of_time_never_comes,
            watch::t14_watch_a_silent_peer_is_told_of_once_and_never_early,
            watch::t14_watch_each_item_restarts_the_timeout,
            watch::t14_watch_a_heartbeat_that_is_skipped_restarts_the_timeout,
            watch::t14_watch_who_was_away_gets_what_came_meanwhile,
            watch::t14_watch_the_end_is_no_silence,
            watch::t16_watch_a_burst_reads_no_clock_and_sets_no_alarm,
            watch::t16_watch_the_alarm_is_moved_once_per_timeout_at_most,
            watch::t16_watch_whoever_polled_last_is_woken,
            watch::t16_watch_an_alarm_that_is_too_early_does_not_spin,
        }
    };
}

macro_rules! list {
    ([] $($file:ident::$name:ident,)+) => {
        /// The names of all scenarios.
        #[must_use]
        pub const fn scenarios() -> &'static [&'static str] {
            &[$(stringify!($name)),+]
        }

        async fn play<T: Timer + Clone>(scenario: &str, stage: &Stage<T>) -> Verdict {
            match scenario {
                $(stringify!($name) => $file::$name(stage).await,)+
                _ => Err(Trouble::Wrong(String::from("no scenario has that name"))),
            }
        }
    };
}
__scenarios!(list,);

/// Makes a test of each scenario, on the [`Runtime`] that the given expression makes. See the
/// [module](mod@crate::conformance) for an example.
///
/// `conformance!(hub: …)` makes those of streams and sinks on a [`Hub`](crate::Hub) instead.
#[macro_export]
macro_rules! conformance {
    (hub: $runtime:expr) => {
        $crate::__scenarios! { $crate::__conformance_on_hub, $runtime }
    };
    ($runtime:expr) => {
        $crate::__scenarios! { $crate::__conformance_tests, check, $runtime }
    };
}

/// Leaves out the scenarios without a hub.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_on_hub {
    ([$runtime:expr]) => {};
    ([$runtime:expr] timer::$name:ident, $($rest:tt)*) => {
        $crate::__conformance_on_hub! { [$runtime] $($rest)* }
    };
    ([$runtime:expr] watch::$name:ident, $($rest:tt)*) => {
        $crate::__conformance_on_hub! { [$runtime] $($rest)* }
    };
    ([$runtime:expr] $file:ident::$name:ident, $($rest:tt)*) => {
        $crate::__conformance_tests! { [check_on_hub, $runtime] $file::$name, }
        $crate::__conformance_on_hub! { [$runtime] $($rest)* }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$check:ident, $runtime:expr] $($file:ident::$name:ident,)+) => {
        $(
            #[test]
            fn $name() {
                let played = $crate::conformance::$check(&$runtime, stringify!($name));
                played.unwrap_or_else(|failure| panic!("{failure}"));
            }
        )+
    };
}
