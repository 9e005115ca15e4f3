//! `SseTracker`, compared with the reference reader.

#![no_main]

use heartbeat_fuzz::{SseCase, Tally};
use libfuzzer_sys::fuzz_target;

static TALLY: Tally = Tally::new();

fuzz_target!(|case: SseCase| TALLY.count(case.check()));
