//! `Heartbeat`, compared with the reference model.

#![no_main]

use heartbeat_fuzz::HeartbeatCase;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: HeartbeatCase| case.check());
