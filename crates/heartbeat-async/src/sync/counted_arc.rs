//! An `Arc` whose counter loom sees. loom's own `Arc` has no `Weak`.
//!
//! With the `Arc` of `alloc`, loom would not know that the thread that drops the last reference comes after
//! all the others. The memory orderings are those of `alloc`.

use core::fmt;
use core::ops::Deref;

use loom::sync::atomic::{AtomicUsize, Ordering, fence};

pub(crate) struct Arc<T> {
    value: alloc::sync::Arc<T>,
    count: alloc::sync::Arc<AtomicUsize>,
}

pub(crate) struct Weak<T> {
    value: alloc::sync::Weak<T>,
    count: alloc::sync::Arc<AtomicUsize>,
}

impl<T> Arc<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: alloc::sync::Arc::new(value),
            count: alloc::sync::Arc::new(AtomicUsize::new(1)),
        }
    }

    pub(crate) fn downgrade(this: &Self) -> Weak<T> {
        Weak {
            value: alloc::sync::Arc::downgrade(&this.value),
            count: alloc::sync::Arc::clone(&this.count),
        }
    }
}

impl<T> Weak<T> {
    pub(crate) fn strong_count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn upgrade(&self) -> Option<Arc<T>> {
        let incremented = |count| (count != 0).then_some(count + 1);
        self.count.fetch_update(Ordering::Acquire, Ordering::Relaxed, incremented).ok()?;
        // loom switches threads at `fetch_update`, not here, so `value` is still there.
        Some(Arc { value: self.value.upgrade()?, count: alloc::sync::Arc::clone(&self.count) })
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
        Self {
            value: alloc::sync::Arc::clone(&self.value),
            count: alloc::sync::Arc::clone(&self.count),
        }
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
        // loom switches threads at `fetch_sub`, not between it and the drop of `value`, so the last
        // `Arc` by this counter is also the last by the counter of `alloc`.
        if self.count.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
        }
    }
}
