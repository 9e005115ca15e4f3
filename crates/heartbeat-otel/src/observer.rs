use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use heartbeat_async::{Observer, Outcome};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::instruments::{Instruments, LongestIdle};

/// The attribute that distinguishes sent heartbeats from lost ones.
const OUTCOME: &str = "outcome";

/// The attribute that says why a response passed through.
const REASON: &str = "reason";

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

/// A reason, and the attributes of its time series.
type ReasonAttributes = (&'static str, Box<[KeyValue]>);

#[derive(Debug)]
struct Recorder {
    instruments: Instruments,
    longest_idle: LongestIdle,
    attributes: Arc<[KeyValue]>,
    sent: Box<[KeyValue]>,
    error: Box<[KeyValue]>,
    /// The attributes of the reasons so far.
    passthrough: RwLock<Vec<ReasonAttributes>>,
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
    /// the gauge `heartbeat.idle.max` shows only one. This crate's attributes `outcome` and `reason` replace others
    /// of the same name on their instruments.
    #[must_use]
    pub fn with_attributes(meter: &Meter, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        let attributes: Arc<[KeyValue]> = attributes.into_iter().collect();
        let recorder = Recorder {
            instruments: Instruments::new(meter),
            longest_idle: LongestIdle::new(meter, Arc::clone(&attributes)),
            sent: with_attribute(&attributes, OUTCOME, "sent"),
            error: with_attribute(&attributes, OUTCOME, "error"),
            passthrough: RwLock::default(),
            attributes,
        };
        recorder.record_zeros();
        Self(Arc::new(recorder))
    }
}

/// The attributes and one more, which replaces one of the same name.
fn with_attribute(
    attributes: &[KeyValue],
    key: &'static str,
    value: &'static str,
) -> Box<[KeyValue]> {
    let others = attributes.iter().filter(|attribute| attribute.key.as_str() != key);
    others.cloned().chain([KeyValue::new(key, value)]).collect()
}

impl Recorder {
    /// Counts a response. The first one with a reason assembles the attributes.
    fn count_passthrough(&self, reason: &'static str) {
        let counter = &self.instruments.passthrough;
        let known = self.passthrough.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, attributes)) = known.iter().find(|(known, _)| *known == reason) {
            return counter.add(1, attributes);
        }
        drop(known);
        let attributes = with_attribute(&self.attributes, REASON, reason);
        counter.add(1, &attributes);
        let mut known = self.passthrough.write().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|(known, _)| *known == reason) {
            known.push((reason, attributes));
        }
    }

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

    fn on_heartbeat(&self, outcome: Outcome, delay: Duration, encoded_len: Option<usize>) {
        let Recorder { instruments, attributes, sent, error, .. } = &*self.0;
        match outcome {
            Outcome::Sent => {
                instruments.messages.add(1, sent);
                instruments.delay.record(delay.as_secs_f64(), attributes);
                if let Some(bytes) = encoded_len {
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

    fn on_passthrough(&self, reason: &'static str) {
        self.0.count_passthrough(reason);
    }
}
