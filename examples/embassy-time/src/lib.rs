//! A timer of embassy's for the heartbeats, and the conformance suite on it.

use std::time::Duration;

use embassy_time::{Instant, TICK_HZ};
use heartbeat_async::Timer;

/// The time since the device was switched on, and embassy's alarms.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmbassyTimer;

impl Timer for EmbassyTimer {
    type Instant = Duration;
    type Sleep = embassy_time::Timer;

    fn now(&self) -> Duration {
        let ticks = Instant::now().as_ticks();
        let rest = ticks % TICK_HZ * 1_000_000_000 / TICK_HZ;
        Duration::from_secs(ticks / TICK_HZ) + Duration::from_nanos(rest)
    }

    fn sleep_until(&self, deadline: Duration) -> embassy_time::Timer {
        // Up to a whole tick: an alarm may be late, and must not be early.
        let rest = u64::from(deadline.subsec_nanos()) * TICK_HZ;
        let ticks = deadline.as_secs().saturating_mul(TICK_HZ);
        let deadline = ticks.saturating_add(rest.div_ceil(1_000_000_000));
        embassy_time::Timer::at(Instant::from_ticks(deadline))
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future;
    use heartbeat_conformance::Runtime;

    use super::EmbassyTimer;

    struct Embassy;

    impl Runtime for Embassy {
        type Timer = EmbassyTimer;

        fn timer(&self) -> EmbassyTimer {
            EmbassyTimer
        }

        fn block_on<F: Future>(&self, scenario: F) -> F::Output {
            future::block_on(scenario)
        }
    }

    heartbeat_conformance::conformance!(Embassy);
}
