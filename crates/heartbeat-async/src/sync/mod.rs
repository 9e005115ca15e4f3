//! What threads share: the primitives of `core`, `alloc` and `std`, or those of loom under `cfg(loom)`.
//!
//! With loom's the models in `verify/loom` run this crate's own code through each interleaving of its
//! threads.

#[cfg(loom)]
mod counted_arc;

#[cfg(loom)]
pub(crate) use counted_arc::{Arc, Weak};
#[cfg(loom)]
pub(crate) use loom::sync::atomic;
#[cfg(all(loom, feature = "hub"))]
pub(crate) use loom::sync::{Mutex, MutexGuard};

#[cfg(not(loom))]
pub(crate) use alloc::sync::{Arc, Weak};
#[cfg(not(loom))]
pub(crate) use core::sync::atomic;
#[cfg(all(not(loom), feature = "hub"))]
pub(crate) use std::sync::{Mutex, MutexGuard};
