//! Counts heartbeats. Each thread has a counter of its own, so that threads do not contend.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The counters of all threads.
static ALL: Mutex<Vec<Arc<AtomicU64>>> = Mutex::new(Vec::new());

thread_local! {
    static MINE: Arc<AtomicU64> = {
        let mine = Arc::default();
        ALL.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&mine));
        mine
    };
}

pub(crate) fn count() {
    MINE.with(|mine| mine.store(mine.load(Ordering::Relaxed) + 1, Ordering::Relaxed));
}

/// Returns the number of heartbeats of all threads.
pub(crate) fn total() -> u64 {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().map(|counted| counted.load(Ordering::Relaxed)).sum()
}
