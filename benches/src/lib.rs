//! Shared code of the benches: measurement, subjects, tables and stored results.

#![expect(missing_debug_implementations, reason = "criterion's types do not implement it")]

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
