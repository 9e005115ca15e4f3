//! A heartbeat timer for a runtime without an adapter, embassy-time, and the conformance suite on it.

use std::time::Duration;

use embassy_time::{Instant, TICK_HZ};
use heartbeat_async::Timer;

/// embassy's clock and timers. An instant is the time since the device has started.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmbassyTimer;

impl Timer for EmbassyTimer {
    type Instant = Duration;
    type Sleep = embassy_time::Timer;

    fn now(&self) -> Duration {
        let ticks = Instant::now().as_ticks();
        let nanos = ticks % TICK_HZ * 1_000_000_000 / TICK_HZ;
        Duration::from_secs(ticks / TICK_HZ) + Duration::from_nanos(nanos)
    }

    fn sleep_until(&self, deadline: Duration) -> embassy_time::Timer {
        // Rounded up to a whole tick: a timer may fire late, but never early.
        let ticks_in_nanos = u64::from(deadline.subsec_nanos()) * TICK_HZ;
        let ticks = deadline.as_secs().saturating_mul(TICK_HZ);
        let deadline = ticks.saturating_add(ticks_in_nanos.div_ceil(1_000_000_000));
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
