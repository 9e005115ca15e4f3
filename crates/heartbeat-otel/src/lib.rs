//! Records the heartbeats of quiet streams as [OpenTelemetry](opentelemetry) metrics.
//!
//! # When to use it
//!
//! Use it when your service already records OpenTelemetry metrics. One [`OtelObserver`] observes any number of
//! streams and sinks of `heartbeat-tokio`, `heartbeat-smol`, `heartbeat-async-std` and `heartbeat-async`. For
//! counts without OpenTelemetry use `heartbeat_async::Counters`.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use futures_util::{StreamExt, stream};
//! use heartbeat_otel::OtelObserver;
//! use heartbeat_tokio::HeartbeatStreamExt;
//! use opentelemetry::{KeyValue, global};
//! # use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! # let exporter = InMemoryMetricExporter::default();
//! # let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
//! global::set_meter_provider(provider.clone()); // once, at the start of your service
//!
//! let meter = global::meter("my-service");
//! let observer = OtelObserver::with_attributes(&meter, [KeyValue::new("route", "/prices")]);
//!
//! let events = stream::pending().heartbeat(Duration::from_secs(15), || "heartbeat");
//! let events = events.with_observer(observer.clone()); // likewise for each stream of the route
//!
//! let first: Vec<_> = events.take(2).collect().await;
//! assert_eq!(first, ["heartbeat", "heartbeat"]);
//! # provider.force_flush().unwrap();
//! # let metrics = exporter.get_finished_metrics().unwrap();
//! # let scope = metrics[0].scope_metrics().next().unwrap();
//! # assert_eq!(scope.scope().name(), "my-service");
//! # assert_eq!(scope.metrics().count(), 9);
//! # }
//! ```
//!
//! A meter belongs to the provider that is set when the meter is created: set the provider first. Without a
//! provider a meter records nothing.
//!
//! # Instruments
//!
//! Names and units follow OpenTelemetry's semantic conventions.
//!
//! | name | kind | unit | description |
//! |---|---|---|---|
//! | `heartbeat.messages` | counter | `{heartbeat}` | Heartbeats that were sent or lost, by outcome |
//! | `heartbeat.delay` | histogram | `s` | Time from the deadline of a heartbeat until it was sent |
//! | `heartbeat.size` | counter | `By` | Total size of the heartbeats that were sent, where it is known |
//! | `heartbeat.cancelled` | counter | `{heartbeat}` | Heartbeats that were due, but cancelled before the sink was ready |
//! | `heartbeat.producer_timeouts` | counter | `{timeout}` | Times that heartbeats stopped because the producer sent no event for too long |
//! | `heartbeat.stalled` | counter | `{stream}` | Streams whose heartbeats stopped because the peer did not read |
//! | `heartbeat.detached` | counter | `{stream}` | Streams whose heartbeats stopped because the hub does not serve them |
//! | `heartbeat.passthrough` | counter | `{response}` | Responses that passed through a layer without heartbeats, by reason |
//! | `heartbeat.stream.active` | up-down counter | `{stream}` | Open streams that are observed |
//! | `heartbeat.idle.max` | gauge | `s` | Longest completed silence of a stream since the start |
//!
//! "Stream" includes the sinks that a driver serves.
//!
//! - `heartbeat.messages` has the attribute `outcome`: `sent` or `error`. `heartbeat.passthrough` has the
//!   attribute `reason`: the name of a `PassthroughReason` of `heartbeat-http`. All instruments have the
//!   [attributes](OtelObserver::with_attributes) of the observer.
//! - All instruments but `heartbeat.delay` and `heartbeat.passthrough` start at zero when the observer is
//!   created, so that a rate includes the first event. `heartbeat.delay` starts with the first heartbeat,
//!   `heartbeat.passthrough` with the first response of a reason.
//! - The boundaries of `heartbeat.delay` are 1, 2 and 5 ms, their multiples by ten up to 10 s, then 30 s, 60 s
//!   and 5 min. Most delays are in the lowest buckets: tokio's timers have a resolution of one millisecond. A
//!   delay above 1 s means that a machine or a peer cannot keep up. The SDK's default boundaries are meant for
//!   milliseconds, and would put every delay into one bucket. A view of the SDK can replace the boundaries.
//! - `heartbeat.idle.max` never decreases. Compare it with the shortest idle timeout between server and client. It
//!   does not include a silence that continues or that ended because the stream was dropped; see
//!   [`Observer::on_idle`](heartbeat_async::Observer::on_idle).
//! - `heartbeat.stream.active` includes streams whose heartbeats are disabled. They record nothing else.
//!
//! # Cost
//!
//! The attributes are assembled once, when the observer is created or a reason is first reported. No other call
//! allocates. A silence that is not the longest costs one atomic load.

mod instruments;
mod observer;

pub use observer::OtelObserver;
