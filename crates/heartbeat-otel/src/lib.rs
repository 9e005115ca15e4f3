//! Records what becomes of the heartbeats of quiet streams as [OpenTelemetry](opentelemetry) metrics.
//!
//! # When to use it
//!
//! When your service has an OpenTelemetry meter already. [`OtelObserver`] is an observer for the
//! streams and drivers of `heartbeat-tokio`, its siblings and `heartbeat-async`; one serves all of them.
//! For a few counts without OpenTelemetry there is `heartbeat_async::Counters`.
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
//! global::set_meter_provider(provider.clone()); // once, where your service sets up its telemetry
//!
//! let meter = global::meter("my-service");
//! let observer = OtelObserver::with_attributes(&meter, [KeyValue::new("route", "/prices")]);
//!
//! let events = stream::pending().heartbeat(Duration::from_secs(15), || "heartbeat");
//! let events = events.with_observer(observer.clone()); // and so with each stream of that route
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
//! A meter belongs to the provider that was there when it was made: set the provider first. A meter of
//! no provider records nothing.
//!
//! # Instruments
//!
//! Their names and units follow OpenTelemetry's semantic conventions.
//!
//! | name | kind | unit | description |
//! |---|---|---|---|
//! | `heartbeat.beats` | counter | `{heartbeat}` | Heartbeats that were sent or lost, by outcome |
//! | `heartbeat.lateness` | histogram | `s` | How long after its deadline each heartbeat that was sent went out |
//! | `heartbeat.traffic` | counter | `By` | Size of the heartbeats that were sent, as far as it is known |
//! | `heartbeat.withdrawals` | counter | `{heartbeat}` | Heartbeats that were due, but not owed any more when they could have been sent |
//! | `heartbeat.give_ups` | counter | `{give_up}` | How often the heartbeats of a stream ceased for want of real events |
//! | `heartbeat.stalls` | counter | `{stall}` | How often the heartbeats of a stream ended since its peer did not read |
//! | `heartbeat.abandonments` | counter | `{stream}` | Streams and sinks whose heartbeats ceased since their hub does not serve them |
//! | `heartbeat.stream.active` | up-down counter | `{stream}` | Streams with heartbeats that there are |
//! | `heartbeat.silence.max` | gauge | `s` | The longest silence of a stream that has ended since the start |
//!
//! - `heartbeat.beats` has the attribute `outcome`, which is `sent` or `error`. All have the attributes that
//!   you [give](OtelObserver::with_attributes).
//! - All but the lateness are there from the start, at zero, so that a rate sees the first of each.
//! - The lateness has its boundaries at 1, 2 and 5 ms, and so on by the same steps to 10 s, then at 30 s, 60 s
//!   and 5 min. A timer in good health stays in the first ones: tokio's counts in milliseconds and
//!   rounds up. What lies above 1 s tells of a machine, or of a peer, that cannot keep up. The SDK's
//!   default boundaries are meant for milliseconds, and would put all of this into one bucket. A view
//!   of your own still overrules ours.
//! - The longest silence never becomes shorter, and does not tell when it was. It says whether the
//!   shortest idle timeout on the way was ever at risk. A silence that goes on is not in it, nor is one
//!   that a dropped stream has ended: see [`Observer::on_idle`](heartbeat_async::Observer::on_idle).
//! - A stream in which heartbeats are disabled is counted as active, and has nothing else to tell.
//!
//! # Cost
//!
//! The attributes are put together once. No call allocates, and a silence that is not the longest costs
//! a load of an atomic integer.

mod instruments;
mod observer;

pub use observer::OtelObserver;
