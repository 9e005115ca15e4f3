//! `EnvelopeTracker`, compared with the reference reader.

#![no_main]

use heartbeat_fuzz::{EnvelopeCase, Tally};
use libfuzzer_sys::fuzz_target;

static TALLY: Tally = Tally::new();

fuzz_target!(|case: EnvelopeCase| TALLY.count(case.check()));
