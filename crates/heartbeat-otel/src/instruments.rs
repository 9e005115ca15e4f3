use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};

/// In seconds: from the delay of a good timer to a delay that no client tolerates.
const DELAY_BOUNDARIES: [f64; 16] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0];

/// All instruments but the gauge. A test compares them with the table in the crate's documentation.
#[derive(Debug)]
pub(crate) struct Instruments {
    pub(crate) messages: Counter<u64>,
    pub(crate) delay: Histogram<f64>,
    pub(crate) size: Counter<u64>,
    pub(crate) cancelled: Counter<u64>,
    pub(crate) producer_timeouts: Counter<u64>,
    pub(crate) stalled: Counter<u64>,
    pub(crate) detached: Counter<u64>,
    pub(crate) passthrough: Counter<u64>,
    pub(crate) active: UpDownCounter<i64>,
}

impl Instruments {
    pub(crate) fn new(meter: &Meter) -> Self {
        let counter = |name, unit, description| {
            meter.u64_counter(name).with_unit(unit).with_description(description).build()
        };
        Self {
            messages: counter(
                "heartbeat.messages",
                "{heartbeat}",
                "Heartbeats that were sent or lost, by outcome",
            ),
            delay: meter
                .f64_histogram("heartbeat.delay")
                .with_unit("s")
                .with_description("Time from the deadline of a heartbeat until it was sent")
                .with_boundaries(DELAY_BOUNDARIES.to_vec())
                .build(),
            // Not `heartbeat.bytes`: for Prometheus the unit is appended to the name.
            size: counter(
                "heartbeat.size",
                "By",
                "Total size of the heartbeats that were sent, where it is known",
            ),
            cancelled: counter(
                "heartbeat.cancelled",
                "{heartbeat}",
                "Heartbeats that were due, but cancelled before the sink was ready",
            ),
            producer_timeouts: counter(
                "heartbeat.producer_timeouts",
                "{timeout}",
                "Times that heartbeats stopped because the producer sent no event for too long",
            ),
            stalled: counter(
                "heartbeat.stalled",
                "{stream}",
                "Streams whose heartbeats stopped because the peer did not read",
            ),
            detached: counter(
                "heartbeat.detached",
                "{stream}",
                "Streams whose heartbeats stopped because the hub does not serve them",
            ),
            passthrough: counter(
                "heartbeat.passthrough",
                "{response}",
                "Responses that passed through a layer without heartbeats, by reason",
            ),
            active: meter
                .i64_up_down_counter("heartbeat.stream.active")
                .with_unit("{stream}")
                .with_description("Open streams that are observed")
                .build(),
        }
    }
}

/// The gauge of the longest idle time, which the SDK reads when it collects metrics.
#[derive(Debug)]
pub(crate) struct LongestIdle(Arc<AtomicU64>);

impl LongestIdle {
    pub(crate) fn new(meter: &Meter, attributes: Arc<[KeyValue]>) -> Self {
        let nanos = Arc::new(AtomicU64::new(0));
        let longest = Arc::clone(&nanos);
        meter
            .f64_observable_gauge("heartbeat.idle.max")
            .with_unit("s")
            .with_description("Longest completed silence of a stream since the start")
            .with_callback(move |gauge| {
                let longest = Duration::from_nanos(longest.load(Relaxed));
                gauge.observe(longest.as_secs_f64(), &attributes);
            })
            .build(); // the meter keeps the callback
        Self(nanos)
    }

    pub(crate) fn update(&self, idle: Duration) {
        let nanos = u64::try_from(idle.as_nanos()).unwrap_or(u64::MAX);
        // Most idle times are shorter, and a load leaves the cache line shared between threads.
        if nanos > self.0.load(Relaxed) {
            self.0.fetch_max(nanos, Relaxed);
        }
    }
}
