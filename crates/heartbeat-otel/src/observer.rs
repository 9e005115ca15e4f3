use std::sync::Arc;
use std::time::Duration;

use heartbeat_async::{Observer, Outcome};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::instruments::{Instruments, LongestSilence};

/// The attribute that tells heartbeats that were sent from those that were lost.
const OUTCOME: &str = "outcome";

/// Records what it hears of heartbeats as OpenTelemetry metrics (T19).
///
/// Make one, and give a clone of it to each stream: clones are cheap, and record into the same
/// [instruments](crate#instruments).
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
/// // What a stream does that was given a clone:
/// observer.on_heartbeat(Outcome::Sent, Duration::from_millis(2), Some(24));
/// ```
#[derive(Debug, Clone)]
pub struct OtelObserver(Arc<Recorder>);

#[derive(Debug)]
struct Recorder {
    instruments: Instruments,
    longest_silence: LongestSilence,
    attributes: Arc<[KeyValue]>,
    sent: Box<[KeyValue]>,
    error: Box<[KeyValue]>,
}

impl OtelObserver {
    /// Records with this meter, whose name says who does so: your service.
    #[must_use]
    pub fn new(meter: &Meter) -> Self {
        Self::with_attributes(meter, [])
    }

    /// Records with this meter, and puts these attributes on everything: a route, say.
    ///
    /// Each set of attributes makes time series of its own that never go away, so it must not say what
    /// is different for each stream. Make one observer per set and clone it: of two with the same set
    /// only one tells its longest silence. An attribute `outcome` of yours is replaced on the
    /// heartbeats by ours.
    #[must_use]
    pub fn with_attributes(meter: &Meter, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        let attributes: Arc<[KeyValue]> = attributes.into_iter().collect();
        let with_outcome = |outcome| {
            let others = attributes.iter().filter(|attribute| attribute.key.as_str() != OUTCOME);
            others.cloned().chain([KeyValue::new(OUTCOME, outcome)]).collect()
        };
        let recorder = Recorder {
            instruments: Instruments::new(meter),
            longest_silence: LongestSilence::new(meter, Arc::clone(&attributes)),
            sent: with_outcome("sent"),
            error: with_outcome("error"),
            attributes,
        };
        recorder.begin();
        Self(Arc::new(recorder))
    }
}

impl Recorder {
    /// Records zeros, so that there is something to compare the first event with.
    fn begin(&self) {
        let Instruments { beats, traffic, withdrawals, give_ups, stalls, abandonments, .. } =
            &self.instruments;
        beats.add(0, &self.sent);
        beats.add(0, &self.error);
        for counter in [traffic, withdrawals, give_ups, stalls, abandonments] {
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

    fn on_heartbeat(&self, outcome: Outcome, late: Duration, bytes: Option<usize>) {
        let Recorder { instruments, attributes, sent, error, .. } = &*self.0;
        match outcome {
            Outcome::Sent => {
                instruments.beats.add(1, sent);
                instruments.lateness.record(late.as_secs_f64(), attributes);
                if let Some(bytes) = bytes {
                    instruments.traffic.add(bytes as u64, attributes);
                }
            }
            Outcome::Error => instruments.beats.add(1, error),
        }
    }

    fn on_cancelled(&self) {
        self.0.instruments.withdrawals.add(1, &self.0.attributes);
    }

    fn on_give_up(&self) {
        self.0.instruments.give_ups.add(1, &self.0.attributes);
    }

    fn on_stall(&self) {
        self.0.instruments.stalls.add(1, &self.0.attributes);
    }

    fn on_detached(&self) {
        self.0.instruments.abandonments.add(1, &self.0.attributes);
    }

    fn on_idle(&self, lasted: Duration) {
        self.0.longest_silence.update(lasted);
    }
}
