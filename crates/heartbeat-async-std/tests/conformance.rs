//! The conformance suite on async-std.

use heartbeat_async_std::AsyncStdTimer;
use heartbeat_conformance::Runtime;

struct AsyncStd;

impl Runtime for AsyncStd {
    type Timer = AsyncStdTimer;

    fn timer(&self) -> AsyncStdTimer {
        AsyncStdTimer
    }

    fn block_on<F: Future>(&self, scenario: F) -> F::Output {
        async_std::task::block_on(scenario)
    }
}

heartbeat_conformance::conformance!(AsyncStd);

mod on_a_hub {
    use super::*;

    heartbeat_conformance::conformance!(hub: AsyncStd);
}
