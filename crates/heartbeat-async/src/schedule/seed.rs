use core::sync::atomic::{AtomicU32, Ordering};

use heartbeat_core::Config;

/// Gives a configuration without a seed one of its own.
pub(crate) fn with_unique_seed(config: Config) -> Config {
    config.with_seed(config.seed().unwrap_or_else(unique_seed))
}

/// A seed that no other stream of this process has, so that the jitter of streams that were opened at the same time
/// differs (T11).
fn unique_seed() -> u32 {
    static STREAMS: AtomicU32 = AtomicU32::new(0);

    // The address of the static differs between processes that start at the same time, where the system randomizes
    // addresses.
    let process = (&raw const STREAMS).addr();
    #[expect(clippy::cast_possible_truncation, reason = "the other bits are not needed")]
    let process = (process ^ (process >> 16)) as u32;
    STREAMS.fetch_add(1, Ordering::Relaxed) ^ process
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::unique_seed;

    #[test]
    fn t11_no_two_streams_share_a_seed() {
        let seeds: BTreeSet<u32> = (0..1000).map(|_| unique_seed()).collect();
        assert_eq!(seeds.len(), 1000);
    }
}
