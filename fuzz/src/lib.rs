//! The cases of the fuzz targets. Some play a history, made of the bytes of the fuzzer, to the
//! implementation and to the reference model of the tests of `heartbeat-core`. Others feed a stream to
//! a tracker and to the reference reader of the tests of `heartbeat-frame`.
//!
//! A target is one line that checks a case. The code is here, so that it is linted and documented like
//! other code.

#![forbid(unsafe_code)]

mod heartbeat;
mod heartbeat_set;
#[path = "../../crates/heartbeat-core/tests/reference_model/mod.rs"]
mod reference_model;
#[path = "../../crates/heartbeat-frame/tests/reference_reader/mod.rs"]
mod reference_reader;
#[path = "../../crates/heartbeat-core/tests/reference_set/mod.rs"]
mod reference_set;
mod streams;
mod time;
mod watchdog;

pub use heartbeat::HeartbeatCase;
pub use heartbeat_set::HeartbeatSetCase;
pub use streams::{EnvelopeCase, GrpcWebTextCase, NdjsonCase, SseCase, StreamOutcome, Tally};
pub use watchdog::WatchdogCase;

use arbitrary::{Arbitrary, Result, Unstructured};

/// The longest history. The model reads the whole history at each call, so longer ones slow the fuzzer
/// down.
const LONGEST_HISTORY: usize = 64;

/// Steps made of the rest of the bytes, at most [`LONGEST_HISTORY`].
fn steps<'a, T: Arbitrary<'a>>(bytes: &mut Unstructured<'a>) -> Result<Vec<T>> {
    let mut steps = Vec::new();
    while !bytes.is_empty() && steps.len() < LONGEST_HISTORY {
        steps.push(bytes.arbitrary()?);
    }
    Ok(steps)
}
