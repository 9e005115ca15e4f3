//! How it is measured: one loop for whatever is polled.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use futures_core::Stream;

use crate::ITEMS;
use crate::table::{Line, Section};

/// A group of criterion's that remembers its lines for the table.
pub(crate) struct Group<'c> {
    criterion: BenchmarkGroup<'c, WallTime>,
    section: Section,
}

impl<'c> Group<'c> {
    pub(crate) fn new(
        criterion: &'c mut Criterion,
        name: &'static str,
        title: &'static str,
    ) -> Self {
        let mut criterion = criterion.benchmark_group(name);
        criterion.throughput(Throughput::Elements(ITEMS.into()));
        Self { criterion, section: Section { group: name, title, lines: Vec::new() } }
    }

    pub(crate) fn section(self) -> Section {
        self.criterion.finish();
        self.section
    }

    /// Polls a stream that comes in bursts of `length`.
    pub(crate) fn stream<S: Stream>(
        &mut self,
        id: &'static str,
        label: impl Into<String>,
        length: u32,
        stream: S,
    ) {
        let mut stream = pin!(stream);
        drain(stream.as_mut()); // the pending with which it begins: alarms are armed now
        self.line(id, label, || {
            for _ in 0..ITEMS / length {
                drain(stream.as_mut());
            }
        });
    }

    /// Polls the body of a response whose events come in bursts of `length`.
    pub(crate) fn body<S>(
        &mut self,
        id: &'static str,
        label: impl Into<String>,
        length: u32,
        response: Sse<S>,
    ) where
        S: Stream<Item = Result<Event, Infallible>> + Send + 'static,
    {
        self.stream(id, label, length, response.into_response().into_body().into_data_stream());
    }

    /// Calls something once per item.
    pub(crate) fn repeat(
        &mut self,
        id: &'static str,
        label: impl Into<String>,
        mut call: impl FnMut(),
    ) {
        self.line(id, label, || {
            for _ in 0..ITEMS {
                call();
            }
        });
    }

    fn line(&mut self, id: &'static str, label: impl Into<String>, mut routine: impl FnMut()) {
        self.criterion.bench_function(id, |bencher| bencher.iter(&mut routine));
        self.section.lines.push(Line { id, label: label.into() });
    }
}

/// Takes what is ready. Within an executor nothing is known of a stream when a poll begins, hence
/// the `black_box` around it: its state must not be carried in registers from poll to poll.
#[inline]
fn drain<S: Stream>(mut stream: Pin<&mut S>) {
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(item)) = black_box(stream.as_mut()).poll_next(&mut cx) {
        black_box(item);
    }
}
