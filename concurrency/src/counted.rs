//! An `Arc` that is counted where loom can see it.

use std::ops::Deref;
use std::{fmt, sync};

use loom::sync::atomic::{AtomicUsize, Ordering, fence};

/// As the one of `alloc`: the same orderings, and the last one to be dropped comes after the others.
pub(crate) struct Arc<T> {
    value: sync::Arc<T>,
    count: sync::Arc<AtomicUsize>,
}

/// As the one of `alloc`, as far as it is used.
pub(crate) struct Weak<T> {
    value: sync::Weak<T>,
    count: sync::Arc<AtomicUsize>,
}

impl<T> Arc<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: sync::Arc::new(value), count: sync::Arc::new(AtomicUsize::new(1)) }
    }

    pub(crate) fn downgrade(this: &Self) -> Weak<T> {
        Weak { value: sync::Arc::downgrade(&this.value), count: sync::Arc::clone(&this.count) }
    }
}

impl<T> Weak<T> {
    pub(crate) fn strong_count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn upgrade(&self) -> Option<Arc<T>> {
        let more = |count| (count != 0).then_some(count + 1);
        self.count.fetch_update(Ordering::Acquire, Ordering::Relaxed, more).ok()?;
        // No other thread has come between.
        Some(Arc { value: self.value.upgrade()?, count: sync::Arc::clone(&self.count) })
    }
}

impl<T: Default> Default for Arc<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        self.count.fetch_add(1, Ordering::Relaxed);
        Self { value: sync::Arc::clone(&self.value), count: sync::Arc::clone(&self.count) }
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        // No other thread comes between this and the drop of `value`, so it is the last one there, too.
        if self.count.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
        }
    }
}
