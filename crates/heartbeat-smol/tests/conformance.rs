//! The conformance suite on smol.

use heartbeat_conformance::Runtime;
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

heartbeat_conformance::conformance!(Smol);

mod on_a_hub {
    use super::*;

    heartbeat_conformance::conformance!(hub: Smol);
}
