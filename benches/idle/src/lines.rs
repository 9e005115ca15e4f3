//! What is measured. To add a line: write a function that opens streams, and name it in the table of its
//! runtime.

mod alarm;
mod async_std;
mod bell;
mod floor;
mod follow;
mod smol;
mod tokio;

use std::time::Duration;

use futures_util::stream::{self, Pending};

use crate::runtime::Runtime;

/// Streams of one kind, on one runtime.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) runtime: Runtime,
    pub(crate) name: &'static str,
    /// The line of that runtime that is the same without heartbeats; itself, if it has none.
    pub(crate) bare: &'static str,
    /// Makes ready for streams that beat once per interval, and gives what opens one.
    pub(crate) start: fn(Duration) -> Open,
}

/// Opens one more stream in a task of its own, which counts the heartbeats.
pub(crate) type Open = Box<dyn FnMut()>;

impl Line {
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.runtime.name(), self.name)
    }

    pub(crate) fn beats(&self) -> bool {
        self.name != self.bare
    }
}

/// All lines; a bare one before those that are compared with it.
pub(crate) fn all() -> impl Iterator<Item = Line> {
    let of = |runtime, lines: &[Entry]| {
        let lines = lines.iter();
        lines
            .map(move |&(name, bare, start)| Line { runtime, name, bare, start })
            .collect::<Vec<_>>()
    };
    [
        of(Runtime::Tokio, &tokio::LINES),
        of(Runtime::Smol, &smol::LINES),
        of(Runtime::AsyncStd, &async_std::LINES),
    ]
    .into_iter()
    .flatten()
}

/// A line in the table of a runtime: its name, that of its bare line, and its function.
type Entry = (&'static str, &'static str, fn(Duration) -> Open);

/// The stream beneath all heartbeats: it has nothing to say.
fn quiet() -> Pending<()> {
    stream::pending()
}
