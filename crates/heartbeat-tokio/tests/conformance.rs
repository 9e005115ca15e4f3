//! The conformance suite on tokio, in real time and with its clock paused.

use std::time::Duration;

use heartbeat_conformance::{Runtime, TimeScale};
use heartbeat_tokio::TokioTimer;
use tokio::runtime::Builder;

struct Tokio;

impl Runtime for Tokio {
    type Timer = TokioTimer;

    fn timer(&self) -> TokioTimer {
        TokioTimer
    }

    fn block_on<F: Future>(&self, scenario: F) -> F::Output {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build();
        runtime.expect("a runtime").block_on(scenario)
    }
}

heartbeat_conformance::conformance!(Tokio);

mod on_a_hub {
    use super::*;

    heartbeat_conformance::conformance!(hub: Tokio);
}

mod paused {
    use super::*;

    struct Paused;

    impl Runtime for Paused {
        type Timer = TokioTimer;

        fn timer(&self) -> TokioTimer {
            TokioTimer
        }

        fn block_on<F: Future>(&self, scenario: F) -> F::Output {
            let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.expect("a runtime").block_on(scenario)
        }

        /// tokio's timers have a resolution of one millisecond, and round up.
        fn time_scale(&self) -> TimeScale {
            TimeScale::exact(Duration::from_millis(1))
        }
    }

    heartbeat_conformance::conformance!(Paused);

    mod on_a_hub {
        use super::*;

        heartbeat_conformance::conformance!(hub: Paused);
    }
}
