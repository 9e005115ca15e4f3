//! The lines of the table. To add a line, write a function that opens streams, and add it to the table of its
//! runtime.

mod async_std;
mod by_hand;
mod count_items;
mod floor;
mod signal;
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
    /// The line of the same runtime without heartbeats. The line itself, if it has no heartbeats.
    pub(crate) bare: &'static str,
    /// Prepares streams with one heartbeat per interval, and returns the function that opens one.
    pub(crate) start: fn(Duration) -> Open,
}

/// Opens a stream in a task of its own, which counts the heartbeats.
pub(crate) type Open = Box<dyn FnMut()>;

impl Line {
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.runtime.name(), self.name)
    }

    pub(crate) fn has_heartbeats(&self) -> bool {
        self.name != self.bare
    }
}

/// Returns all lines. A line without heartbeats precedes the lines that are compared with it.
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

/// A line in the table of a runtime: its name, the name of its line without heartbeats, and its function.
type Entry = (&'static str, &'static str, fn(Duration) -> Open);

/// The inner stream of all lines. It yields nothing.
fn quiet() -> Pending<()> {
    stream::pending()
}
