use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};

/// Seconds. From what a good timer is late by to what no stream should bear.
const LATENESS: [f64; 16] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0];

/// What is recorded. The crate's documentation has the same list, and a test compares the two.
#[derive(Debug)]
pub(crate) struct Instruments {
    pub(crate) beats: Counter<u64>,
    pub(crate) lateness: Histogram<f64>,
    pub(crate) traffic: Counter<u64>,
    pub(crate) withdrawals: Counter<u64>,
    pub(crate) give_ups: Counter<u64>,
    pub(crate) stalls: Counter<u64>,
    pub(crate) abandonments: Counter<u64>,
    pub(crate) active: UpDownCounter<i64>,
}

impl Instruments {
    pub(crate) fn new(meter: &Meter) -> Self {
        let counter = |name, unit, description| {
            meter.u64_counter(name).with_unit(unit).with_description(description).build()
        };
        Self {
            beats: counter(
                "heartbeat.beats",
                "{heartbeat}",
                "Heartbeats that were sent or lost, by outcome",
            ),
            lateness: meter
                .f64_histogram("heartbeat.lateness")
                .with_unit("s")
                .with_description(
                    "How long after its deadline each heartbeat that was sent went out",
                )
                .with_boundaries(LATENESS.to_vec())
                .build(),
            traffic: counter(
                "heartbeat.traffic",
                "By",
                "Size of the heartbeats that were sent, as far as it is known",
            ),
            withdrawals: counter(
                "heartbeat.withdrawals",
                "{heartbeat}",
                "Heartbeats that were due, but not owed any more when they could have been sent",
            ),
            give_ups: counter(
                "heartbeat.give_ups",
                "{give_up}",
                "How often the heartbeats of a stream ceased for want of real events",
            ),
            stalls: counter(
                "heartbeat.stalls",
                "{stall}",
                "How often the heartbeats of a stream ended since its peer did not read",
            ),
            abandonments: counter(
                "heartbeat.abandonments",
                "{stream}",
                "Streams and sinks whose heartbeats ceased since their hub does not serve them",
            ),
            active: meter
                .i64_up_down_counter("heartbeat.stream.active")
                .with_unit("{stream}")
                .with_description("Streams with heartbeats that there are")
                .build(),
        }
    }
}

/// The longest silence, which is read when metrics are collected.
#[derive(Debug)]
pub(crate) struct LongestSilence(Arc<AtomicU64>);

impl LongestSilence {
    pub(crate) fn new(meter: &Meter, attributes: Arc<[KeyValue]>) -> Self {
        let nanos = Arc::new(AtomicU64::new(0));
        let longest = Arc::clone(&nanos);
        meter
            .f64_observable_gauge("heartbeat.silence.max")
            .with_unit("s")
            .with_description("The longest silence of a stream that has ended since the start")
            .with_callback(move |gauge| {
                let longest = Duration::from_nanos(longest.load(Relaxed));
                gauge.observe(longest.as_secs_f64(), &attributes);
            })
            .build(); // the meter keeps it
        Self(nanos)
    }

    pub(crate) fn update(&self, lasted: Duration) {
        let nanos = u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX);
        // Most are shorter, and a load leaves the cache line to the other threads.
        if nanos > self.0.load(Relaxed) {
            self.0.fetch_max(nanos, Relaxed);
        }
    }
}
