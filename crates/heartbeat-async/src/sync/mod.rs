//! What threads share: the primitives of `core`, `alloc` and `std`, or those of loom under `cfg(loom)`.
//!
//! With loom's the models in `verify/loom` run this crate's own code through each interleaving of its
//! threads.

#[cfg(loom)]
mod counted_arc;

#[cfg(loom)]
pub(crate) use counted_arc::Arc;
#[cfg(all(loom, feature = "hub"))]
pub(crate) use counted_arc::Weak;
#[cfg(all(loom, feature = "hub"))]
pub(crate) use loom::sync::atomic;
#[cfg(loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};

#[cfg(not(loom))]
pub(crate) use alloc::sync::Arc;
#[cfg(all(not(loom), feature = "hub"))]
pub(crate) use alloc::sync::Weak;
#[cfg(all(not(loom), feature = "hub"))]
pub(crate) use core::sync::atomic;
#[cfg(all(not(loom), not(feature = "std")))]
pub(crate) use spin::{Mutex, MutexGuard};
#[cfg(all(not(loom), feature = "std"))]
pub(crate) use std::sync::{Mutex, MutexGuard};

/// Locks a mutex. A panic of a thread that had it is ignored.
#[cfg(any(loom, feature = "std"))]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Locks a mutex.
#[cfg(not(any(loom, feature = "std")))]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
