//! What the fuzz targets have in common: histories made of the fuzzer's bytes, played to a machine and
//! to the naive model that the tests of `heartbeat-core` compare it with, or to a fleet and to the lone
//! machines of its tests; and streams, fed to a tracker and to the naive reader that the tests of
//! `heartbeat-frame` compare it with.
//!
//! A target is one line: it takes a case and checks it. The work is here, where it is linted and
//! documented like other code.

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

/// The model looks through the whole history at each call: beyond this it would slow the fuzzer down.
const LONGEST_HISTORY: usize = 64;

/// As many steps as the rest of the bytes tells, up to [`LONGEST_HISTORY`].
fn steps<'a, T: Arbitrary<'a>>(bytes: &mut Unstructured<'a>) -> Result<Vec<T>> {
    let mut steps = Vec::new();
    while !bytes.is_empty() && steps.len() < LONGEST_HISTORY {
        steps.push(bytes.arbitrary()?);
    }
    Ok(steps)
}
