//! Memory and activity of this process, as the system and the allocator report them.

use std::time::Duration;

use procfs::ProcResult;
use procfs::process::Process;
use rustix::time::{ClockId, clock_gettime};

use crate::ALLOCATOR;

/// The memory of the process, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// The resident set size.
    pub(crate) resident: u64,
    /// Bytes that were allocated and not freed.
    pub(crate) allocated: u64,
}

impl Memory {
    pub(crate) fn now() -> ProcResult<Self> {
        let rollup = Process::myself()?.smaps_rollup()?.memory_map_rollup;
        let resident = rollup.iter().filter_map(|map| map.extension.map.get("Rss")).sum();
        let stats = ALLOCATOR.stats();
        // Both figures include reallocations.
        let allocated = (stats.bytes_allocated - stats.bytes_deallocated) as u64;
        Ok(Self { resident, allocated })
    }
}

/// The activity of the process since its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Activity {
    /// CPU time of all threads, in user and system mode.
    pub(crate) cpu: Duration,
    /// Voluntary context switches of all threads.
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
