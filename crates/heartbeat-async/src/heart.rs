use heartbeat_core::{Config, Heartbeat};

use crate::Timer;
use crate::seed;

/// The machine of a stream, or of a sink, whose silence begins now (T2).
pub(crate) fn born<T: Timer>(config: Config, timer: &T) -> Heartbeat<T::Instant> {
    let seed = config.seed().unwrap_or_else(seed::unique);
    Heartbeat::new(&config.with_seed(seed), timer.now()).with_granularity(timer.granularity())
}
