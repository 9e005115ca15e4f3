//! The conformance suite in virtual time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Duration;

use heartbeat_async::Timer;
use heartbeat_async::virtual_time::{VirtualSleep, VirtualTime};
use heartbeat_conformance::{Runtime, TimeScale, check};

heartbeat_conformance::conformance!(VirtualTime::new());

mod on_a_hub {
    use super::*;

    heartbeat_conformance::conformance!(hub: VirtualTime::new());
}

/// A timer that many streams share may be early by a 64th of the interval (T15).
mod in_batches {
    use super::*;

    const GRANULARITY: Duration = Duration::from_millis(156);

    heartbeat_conformance::conformance!(VirtualTime::new().with_granularity(GRANULARITY));
}

/// The ticks grow with the granularity, which has no upper bound.
mod in_coarse_batches {
    use super::*;

    const GRANULARITY: Duration = Duration::from_secs(60);

    heartbeat_conformance::conformance!(VirtualTime::new().with_granularity(GRANULARITY));
}

/// Polls each scenario too late.
struct LateRuntime(VirtualTime);

impl Runtime for LateRuntime {
    type Timer = VirtualTime;

    fn timer(&self) -> VirtualTime {
        self.0.clone()
    }

    fn block_on<F: Future>(&self, scenario: F) -> F::Output {
        let mut scenario = pin!(scenario);
        self.0.block_on(poll_fn(|cx| {
            self.0.advance(Duration::from_secs(60));
            scenario.as_mut().poll(cx)
        }))
    }

    fn time_scale(&self) -> TimeScale {
        TimeScale::real()
    }
}

#[test]
fn a_runtime_that_is_always_late_fails() {
    let scenario = "t4_a_heartbeat_is_never_early_and_never_missing";
    let failure =
        check(&LateRuntime(VirtualTime::new()), scenario).expect_err("the runtime is late");
    assert!(failure.is_late() && failure.scenario() == scenario, "{failure:?}");
    let text = failure.to_string();
    assert!(text.starts_with(scenario) && text.ends_with("in the last of 8 attempts"), "{text}");
}

/// Its sleeps are later than allowed by a nanosecond.
struct LateSleeps(VirtualTime);

impl Runtime for LateSleeps {
    type Timer = LateTimer;

    fn timer(&self) -> LateTimer {
        LateTimer(self.0.clone())
    }

    fn block_on<F: Future>(&self, scenario: F) -> F::Output {
        self.0.block_on(scenario)
    }

    fn time_scale(&self) -> TimeScale {
        TimeScale::exact(Duration::from_millis(1))
    }
}

#[derive(Clone)]
struct LateTimer(VirtualTime);

impl Timer for LateTimer {
    type Instant = Duration;
    type Sleep = VirtualSleep;

    fn now(&self) -> Duration {
        self.0.now()
    }

    fn sleep_until(&self, deadline: Duration) -> VirtualSleep {
        self.0.sleep_until(deadline + Duration::from_nanos(1_000_001))
    }
}

#[test]
fn on_exact_time_a_nanosecond_too_late_fails() {
    let failure = check(&LateSleeps(VirtualTime::new()), "timer_is_on_time_and_wakes");
    assert!(
        failure
            .expect_err("the runtime is late")
            .to_string()
            .ends_with("in the last of 1 attempts")
    );
}

#[test]
fn an_unknown_scenario_fails() {
    let failure = check(&VirtualTime::new(), "t99").expect_err("no scenario has this name");
    assert_eq!(failure.to_string(), "t99: no scenario has that name");
}
