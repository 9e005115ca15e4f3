//! What the system and the allocator know of this process.

use std::time::Duration;

use procfs::ProcResult;
use procfs::process::Process;
use rustix::time::{ClockId, clock_gettime};

use crate::ALLOCATOR;

/// The memory that the process has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// What of it is in the machine's memory (RSS).
    pub(crate) resident: u64,
    /// What was allocated and not freed.
    pub(crate) allocated: u64,
}

impl Memory {
    pub(crate) fn now() -> ProcResult<Self> {
        let rollup = Process::myself()?.smaps_rollup()?.memory_map_rollup;
        let resident = rollup.iter().filter_map(|map| map.extension.map.get("Rss")).sum();
        let stats = ALLOCATOR.stats();
        // What a reallocation adds or frees is among both.
        let allocated = (stats.bytes_allocated - stats.bytes_deallocated) as u64;
        Ok(Self { resident, allocated })
    }
}

/// What the process has done since it began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Activity {
    /// In its own code and in the system's, in all threads.
    pub(crate) cpu: Duration,
    /// How often a thread went to sleep, and so was woken.
    pub(crate) wake_ups: u64,
    /// Calls of the allocator.
    pub(crate) allocations: u64,
}

impl Activity {
    pub(crate) fn now() -> ProcResult<Self> {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let cpu = Duration::try_from(cpu).unwrap_or_default();
        let mut wake_ups = 0;
        for thread in Process::myself()?.tasks()? {
            wake_ups += thread?.status()?.voluntary_ctxt_switches.unwrap_or_default();
        }
        let stats = ALLOCATOR.stats();
        let allocations = (stats.allocations + stats.reallocations) as u64;
        Ok(Self { cpu, wake_ups, allocations })
    }
}
