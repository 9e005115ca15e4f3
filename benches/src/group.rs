use std::pin::pin;

use criterion::measurement::WallTime;
use criterion::{Bencher, BenchmarkGroup, Throughput};
use futures_core::Stream;

use crate::results::Unit;
use crate::streams::drain;

/// Items in an iteration of criterion's. Many, since each burst ends with one more poll, which pends.
pub const ITEMS: u32 = 10_000;

/// A group of criterion's that remembers its lines for the table. The first is the baseline.
pub struct Group<'b> {
    criterion: BenchmarkGroup<'b, WallTime>,
    section: &'b mut Section,
}

/// What was put into a group.
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) label: String,
    /// How many items or bytes there are in an iteration of criterion's.
    pub(crate) elements: u64,
}

impl<'b> Group<'b> {
    pub(crate) fn new(criterion: BenchmarkGroup<'b, WallTime>, section: &'b mut Section) -> Self {
        Self { criterion, section }
    }

    /// Polls a stream that comes in bursts of `length`.
    pub fn stream<S: Stream>(
        &mut self,
        id: impl Into<String>,
        label: impl Into<String>,
        length: u32,
        stream: S,
    ) {
        let mut stream = pin!(stream);
        drain(stream.as_mut()); // the pending with which it begins: alarms are armed now
        self.routine(id, label, ITEMS.into(), || {
            for _ in 0..ITEMS / length {
                drain(stream.as_mut());
            }
        });
    }

    /// Calls something once per item.
    pub fn repeat(
        &mut self,
        id: impl Into<String>,
        label: impl Into<String>,
        mut call: impl FnMut(),
    ) {
        self.routine(id, label, ITEMS.into(), || {
            for _ in 0..ITEMS {
                call();
            }
        });
    }

    /// Calls something that handles so many items or bytes.
    pub fn routine(
        &mut self,
        id: impl Into<String>,
        label: impl Into<String>,
        elements: u64,
        mut call: impl FnMut(),
    ) {
        self.line(id, label, elements, |bencher| bencher.iter(&mut call));
    }

    /// Measures in one of criterion's other ways.
    pub fn line(
        &mut self,
        id: impl Into<String>,
        label: impl Into<String>,
        elements: u64,
        measure: impl FnMut(&mut Bencher<'_>),
    ) {
        let (id, label) = (id.into(), label.into());
        self.criterion.throughput(match self.section.unit {
            Unit::Nanoseconds => Throughput::Elements(elements),
            Unit::GigabytesPerSecond => Throughput::Bytes(elements),
        });
        self.criterion.bench_function(&id, measure);
        self.section.lines.push(Line { id, label, elements });
    }
}
