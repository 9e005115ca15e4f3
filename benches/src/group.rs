use std::pin::pin;

use criterion::measurement::WallTime;
use criterion::{Bencher, BenchmarkGroup, Throughput};
use futures_core::Stream;

use crate::results::Unit;
use crate::streams::drain;

/// Items per iteration. Many, because each burst ends with an additional poll that is pending.
pub const ITEMS: u32 = 10_000;

/// A group of benchmarks that become the lines of one table. The first line is the baseline.
pub struct Group<'b> {
    criterion: BenchmarkGroup<'b, WallTime>,
    section: &'b mut Section,
}

/// The lines of a group, and its title.
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) lines: Vec<BenchLine>,
}

pub(crate) struct BenchLine {
    pub(crate) id: String,
    pub(crate) label: String,
    /// Items or bytes per iteration.
    pub(crate) elements: u64,
}

impl<'b> Group<'b> {
    pub(crate) fn new(criterion: BenchmarkGroup<'b, WallTime>, section: &'b mut Section) -> Self {
        Self { criterion, section }
    }

    /// Measures polling a stream that is ready in bursts of `length` items.
    pub fn stream<S: Stream>(
        &mut self,
        id: impl Into<String>,
        label: impl Into<String>,
        length: u32,
        stream: S,
    ) {
        let mut stream = pin!(stream);
        drain(stream.as_mut()); // the stream starts pending, and its wrapper sets its sleep
        self.routine(id, label, ITEMS.into(), || {
            for _ in 0..ITEMS / length {
                drain(stream.as_mut());
            }
        });
    }

    /// Measures a call that handles one item.
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

    /// Measures a call that handles `elements` items or bytes.
    pub fn routine(
        &mut self,
        id: impl Into<String>,
        label: impl Into<String>,
        elements: u64,
        mut call: impl FnMut(),
    ) {
        self.line(id, label, elements, |bencher| bencher.iter(&mut call));
    }

    /// Measures with criterion's [`Bencher`].
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
        self.section.lines.push(BenchLine { id, label, elements });
    }
}
