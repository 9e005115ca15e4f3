//! `GrpcWebTextTracker`, compared with the reference reader.

#![no_main]

use heartbeat_fuzz::{GrpcWebTextCase, Tally};
use libfuzzer_sys::fuzz_target;

static TALLY: Tally = Tally::new();

fuzz_target!(|case: GrpcWebTextCase| TALLY.count(case.check()));
