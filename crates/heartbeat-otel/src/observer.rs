use std::sync::Arc;
use std::time::Duration;

use heartbeat_async::{Observer, Outcome};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::instruments::{Instruments, LongestIdle};

/// The attribute that distinguishes sent heartbeats from lost ones.
const OUTCOME: &str = "outcome";

/// Records heartbeats as OpenTelemetry metrics. See [T19](heartbeat_async::rules#t19-outcome).
///
/// Create one observer, and pass a clone to each stream. A clone costs a reference count, and records into
/// the same [instruments](crate#instruments).
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use heartbeat_async::{Observer, Outcome};
/// use heartbeat_otel::OtelObserver;
/// use opentelemetry::global;
///
/// let observer = OtelObserver::new(&global::meter("my-service"));
///
/// // What a stream with a clone of the observer does:
/// observer.on_heartbeat(Outcome::Sent, Duration::from_millis(2), Some(24));
/// ```
#[derive(Debug, Clone)]
pub struct OtelObserver(Arc<Recorder>);

#[derive(Debug)]
struct Recorder {
    instruments: Instruments,
    longest_idle: LongestIdle,
    attributes: Arc<[KeyValue]>,
    sent: Box<[KeyValue]>,
    error: Box<[KeyValue]>,
}

impl OtelObserver {
    /// Records with `meter`. The name of the meter is usually that of your service.
    #[must_use]
    pub fn new(meter: &Meter) -> Self {
        Self::with_attributes(meter, [])
    }

    /// Like [`new`](Self::new), with `attributes` on every time series: a route, for example.
    ///
    /// Each set of attributes creates time series that are never removed, so do not use values that differ
    /// from stream to stream. Create one observer per set, and clone it: of two observers with the same set,
    /// the gauge `heartbeat.idle.max` shows only one. On `heartbeat.messages` this crate's attribute `outcome`
    /// replaces one of the same name.
    #[must_use]
    pub fn with_attributes(meter: &Meter, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        let attributes: Arc<[KeyValue]> = attributes.into_iter().collect();
        let with_outcome = |outcome| {
            let others = attributes.iter().filter(|attribute| attribute.key.as_str() != OUTCOME);
            others.cloned().chain([KeyValue::new(OUTCOME, outcome)]).collect()
        };
        let recorder = Recorder {
            instruments: Instruments::new(meter),
            longest_idle: LongestIdle::new(meter, Arc::clone(&attributes)),
            sent: with_outcome("sent"),
            error: with_outcome("error"),
            attributes,
        };
        recorder.record_zeros();
        Self(Arc::new(recorder))
    }
}

impl Recorder {
    /// Records zeros, so that the rate of a counter includes its first event.
    fn record_zeros(&self) {
        let Instruments { messages, size, cancelled, producer_timeouts, stalled, detached, .. } =
            &self.instruments;
        messages.add(0, &self.sent);
        messages.add(0, &self.error);
        for counter in [size, cancelled, producer_timeouts, stalled, detached] {
            counter.add(0, &self.attributes);
        }
        self.instruments.active.add(0, &self.attributes);
    }
}

impl Observer for OtelObserver {
    fn on_open(&self) {
        self.0.instruments.active.add(1, &self.0.attributes);
    }

    fn on_close(&self) {
        self.0.instruments.active.add(-1, &self.0.attributes);
    }

    fn on_heartbeat(&self, outcome: Outcome, delay: Duration, bytes: Option<usize>) {
        let Recorder { instruments, attributes, sent, error, .. } = &*self.0;
        match outcome {
            Outcome::Sent => {
                instruments.messages.add(1, sent);
                instruments.delay.record(delay.as_secs_f64(), attributes);
                if let Some(bytes) = bytes {
                    instruments.size.add(bytes as u64, attributes);
                }
            }
            Outcome::Error => instruments.messages.add(1, error),
        }
    }

    fn on_cancelled(&self) {
        self.0.instruments.cancelled.add(1, &self.0.attributes);
    }

    fn on_give_up(&self) {
        self.0.instruments.producer_timeouts.add(1, &self.0.attributes);
    }

    fn on_stall(&self) {
        self.0.instruments.stalled.add(1, &self.0.attributes);
    }

    fn on_detached(&self) {
        self.0.instruments.detached.add(1, &self.0.attributes);
    }

    fn on_idle(&self, idle: Duration) {
        self.0.longest_idle.update(idle);
    }
}
