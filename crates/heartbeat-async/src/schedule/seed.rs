use core::sync::atomic::{AtomicU32, Ordering};

use heartbeat_core::Config;

/// The configuration of one stream, which has a seed of its own unless one was given.
pub(crate) fn with_unique_seed(config: Config) -> Config {
    config.with_seed(config.seed().unwrap_or_else(unique_seed))
}

/// A seed that no other stream of this process has, so that the jitter of streams that were opened
/// in the same instant lets them drift apart (T11).
fn unique_seed() -> u32 {
    static STREAMS: AtomicU32 = AtomicU32::new(0);

    // Where the static was loaded differs between the processes of a fleet that start together, if
    // the system gives each a place of its own (ASLR).
    let process = (&raw const STREAMS).addr();
    #[expect(clippy::cast_possible_truncation, reason = "the rest of the bits is no loss")]
    let process = (process ^ (process >> 16)) as u32;
    STREAMS.fetch_add(1, Ordering::Relaxed) ^ process
}
