//! A meter provider that keeps its metrics in memory, and functions that read them.

#![allow(unreachable_pub, dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, Metric, MetricData, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

/// The metrics of one test.
pub struct Recording {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

/// An instrument as it was exported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exported {
    pub name: String,
    pub kind: String,
    pub unit: String,
    pub description: String,
}

impl Recording {
    pub fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
        Self { provider, exporter }
    }

    pub fn meter(&self) -> Meter {
        self.provider.meter("test")
    }

    /// The instruments that have recorded a value.
    pub fn instruments(&self) -> Vec<Exported> {
        let export = |metric: &Metric| Exported {
            name: metric.name().to_owned(),
            kind: kind(metric).to_owned(),
            unit: metric.unit().to_owned(),
            description: metric.description().to_owned(),
        };
        all(&self.export()).map(export).collect()
    }

    /// The value of each time series. A histogram has a count and a sum.
    pub fn values(&self) -> BTreeMap<String, f64> {
        all(&self.export()).flat_map(values).collect()
    }

    /// The upper boundaries of a histogram's buckets, and the count in each bucket. The last bucket has no
    /// boundary.
    pub fn buckets(&self, name: &str) -> (Vec<f64>, Vec<u64>) {
        let export = self.export();
        let metric = all(&export).find(|metric| metric.name() == name).expect("exported");
        let AggregatedMetrics::F64(MetricData::Histogram(histogram)) = metric.data() else {
            panic!("{name} is not a histogram")
        };
        let point = histogram.data_points().next().expect("a point");
        (point.bounds().collect(), point.bucket_counts().collect())
    }

    fn export(&self) -> ResourceMetrics {
        self.exporter.reset();
        self.provider.force_flush().expect("exported");
        self.exporter.get_finished_metrics().expect("in memory").pop().expect("one export")
    }
}

fn all(export: &ResourceMetrics) -> impl Iterator<Item = &Metric> {
    export.scope_metrics().flat_map(ScopeMetrics::metrics)
}

fn kind(metric: &Metric) -> &'static str {
    match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(sum)) if sum.is_monotonic() => "counter",
        AggregatedMetrics::I64(MetricData::Sum(sum)) if !sum.is_monotonic() => "up-down counter",
        AggregatedMetrics::F64(MetricData::Gauge(_)) => "gauge",
        AggregatedMetrics::F64(MetricData::Histogram(_)) => "histogram",
        other => panic!("unexpected kind: {other:?}"),
    }
}

#[allow(clippy::cast_precision_loss, reason = "the counts of a test are small")]
fn values(metric: &Metric) -> Vec<(String, f64)> {
    let name = metric.name();
    match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            let points = sum.data_points();
            points.map(|point| (series(name, point.attributes()), point.value() as f64)).collect()
        }
        AggregatedMetrics::I64(MetricData::Sum(sum)) => {
            let points = sum.data_points();
            points.map(|point| (series(name, point.attributes()), point.value() as f64)).collect()
        }
        AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
            let points = gauge.data_points();
            points.map(|point| (series(name, point.attributes()), point.value())).collect()
        }
        AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
            let point = |(part, value)| {
                move |attributes: Vec<_>| (series(&format!("{name}.{part}"), attributes), value)
            };
            let both = histogram.data_points().flat_map(|data| {
                let attributes: Vec<_> = data.attributes().collect();
                let parts = [("count", data.count() as f64), ("sum", data.sum())];
                parts.map(|part| point(part)(attributes.clone()))
            });
            both.collect()
        }
        other => panic!("unexpected kind: {other:?}"),
    }
}

/// A name with its attributes: `messages{outcome=sent}`.
fn series<'a>(name: &str, attributes: impl IntoIterator<Item = &'a KeyValue>) -> String {
    let mut attributes: Vec<_> = attributes
        .into_iter()
        .map(|attribute| format!("{}={}", attribute.key, attribute.value))
        .collect();
    attributes.sort();
    if attributes.is_empty() {
        name.to_owned()
    } else {
        format!("{name}{{{}}}", attributes.join(","))
    }
}
