//! `HeartbeatSet` against lone machines.

#![no_main]

use heartbeat_fuzz::FleetCase;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: FleetCase| case.check());
