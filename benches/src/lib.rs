//! What the benches have in common: how they measure, what they measure, and what they make of it.

#![expect(missing_debug_implementations, reason = "criterion has none, and nobody prints a bench")]

mod bench;
mod counted;
mod figures;
mod group;
mod random;
mod results;
mod runs;
mod streams;
pub mod subjects;
mod table;
mod versions;

pub use bench::{Bench, is_test};
pub use counted::{Counted, counted, counted_table};
pub use group::{Group, ITEMS};
pub use random::Random;
pub use results::{Calls, Row, Unit, read, results, write};
pub use runs::{Run, runs_table};
pub use streams::{Bursts, drain};
pub use table::{OURS, calls_table, styled, table};
pub use versions::version;
