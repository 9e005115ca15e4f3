//! The conformance suite on smol.

use heartbeat_async::conformance::Runtime;
use heartbeat_smol::SmolTimer;

struct Smol;

impl Runtime for Smol {
    type Timer = SmolTimer;

    fn timer(&self) -> SmolTimer {
        SmolTimer
    }

    fn block_on<F: Future>(&self, scenario: F) -> F::Output {
        smol::block_on(scenario)
    }
}

heartbeat_async::conformance!(Smol);

mod on_a_hub {
    use super::*;

    heartbeat_async::conformance!(hub: Smol);
}
