//! What the conformance suite does not test: API that the rules do not cover, properties of many streams, and sinks, wakers and
//! timers of other kinds. One program, since each takes time to link.

mod hub;
mod push;
mod stream;
mod virtual_time;

use std::time::Duration;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
