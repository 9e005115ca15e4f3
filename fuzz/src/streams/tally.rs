use std::fmt;
use std::sync::Mutex;

use heartbeat_frame::Boundary;

/// The result of one execution.
#[derive(Debug, Clone, Copy)]
pub struct StreamOutcome {
    /// Whether the stream was valid.
    pub(super) built: bool,
    /// Whether it had a boundary after its start.
    pub(super) boundary: bool,
    /// The boundary at its end.
    pub(super) end: Option<Boundary>,
}

/// Counts results, and prints the counts at each power of two from 1,024 on.
#[derive(Debug)]
pub struct Tally {
    counts: Mutex<TallyCounts>,
}

#[derive(Debug, Clone, Copy)]
struct TallyCounts {
    executions: u32,
    built: u32,
    boundary: u32,
    ended: u32,
    unknown: u32,
}

impl Tally {
    /// A tally with all counts zero.
    #[must_use]
    pub const fn new() -> Self {
        let counts = TallyCounts { executions: 0, built: 0, boundary: 0, ended: 0, unknown: 0 };
        Self { counts: Mutex::new(counts) }
    }

    /// Counts one result.
    ///
    /// # Panics
    ///
    /// If it has panicked before.
    pub fn count(&self, outcome: StreamOutcome) {
        let mut counts = self.counts.lock().expect("no panic before");
        counts.executions += 1;
        counts.built += u32::from(outcome.built);
        counts.boundary += u32::from(outcome.boundary);
        counts.ended += u32::from(outcome.end == Some(Boundary::EndOfStream));
        counts.unknown += u32::from(outcome.end == Some(Boundary::Unknown));
        if counts.executions >= 1024 && counts.executions.is_power_of_two() {
            eprintln!("{counts}");
        }
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for TallyCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, built, boundary, ended, unknown } = *self;
        let share = |count| f64::from(count) * 100.0 / f64::from(executions);
        write!(
            f,
            "{executions} executions: {:.1} % built valid, {:.1} % with a boundary after the start, \
             {:.1} % ended, {:.1} % malformed",
            share(built),
            share(boundary),
            share(ended),
            share(unknown),
        )
    }
}
