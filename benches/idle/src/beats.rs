//! Counts heartbeats, without threads that get into each other's way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What each thread has counted.
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

/// How many there were.
pub(crate) fn total() -> u64 {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().map(|counted| counted.load(Ordering::Relaxed)).sum()
}
