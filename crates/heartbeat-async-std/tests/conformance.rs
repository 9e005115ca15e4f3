//! The conformance suite on async-std.

use heartbeat_async::conformance::Runtime;
use heartbeat_async_std::AsyncStdTimer;

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

heartbeat_async::conformance!(AsyncStd);

mod on_a_hub {
    use super::*;

    heartbeat_async::conformance!(hub: AsyncStd);
}
