//! What the conformance suite is worth: the core and the glue once more, with faults in them that can
//! be switched on one at a time.
//!
//! The build script copies their sources and puts a switch at each place that [`FAULTS`] names. So the
//! faults are in the code itself, and one that no longer fits it breaks the build.

extern crate alloc;

use std::cell::Cell;

mod list;

pub use list::{FAULTS, Fault};

thread_local! {
    static SEEDED: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Switches one of the [`FAULTS`] on in this thread, and the others off.
pub fn seed(fault: Option<usize>) {
    SEEDED.set(fault);
}

fn is_seeded(fault: usize) -> bool {
    SEEDED.get() == Some(fault)
}

/// The machines.
#[allow(warnings, missing_docs, clippy::pedantic, reason = "it is a copy, and wrong in places")]
mod heartbeat_core {
    include!(concat!(env!("OUT_DIR"), "/heartbeat_core/lib.rs"));
}

/// The glue, with its virtual time and its conformance suite.
#[allow(warnings, missing_docs, clippy::pedantic, reason = "it is a copy, and wrong in places")]
pub mod heartbeat_async {
    include!(concat!(env!("OUT_DIR"), "/heartbeat_async/lib.rs"));
}
