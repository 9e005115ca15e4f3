//! `NdjsonTracker`, compared with the reference reader.

#![no_main]

use heartbeat_fuzz::{NdjsonCase, Tally};
use libfuzzer_sys::fuzz_target;

static TALLY: Tally = Tally::new();

fuzz_target!(|case: NdjsonCase| TALLY.count(case.check()));
