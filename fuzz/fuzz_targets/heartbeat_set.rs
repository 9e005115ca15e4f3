//! `HeartbeatSet`, compared with single heartbeats.

#![no_main]

use heartbeat_fuzz::HeartbeatSetCase;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: HeartbeatSetCase| case.check());
