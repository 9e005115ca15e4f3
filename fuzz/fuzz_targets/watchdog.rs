//! `Watchdog`, compared with the reference model.

#![no_main]

use heartbeat_fuzz::WatchdogCase;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: WatchdogCase| case.check());
