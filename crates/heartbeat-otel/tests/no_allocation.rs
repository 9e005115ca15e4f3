//! No call of the observer allocates, with the SDK behind it. The program has no test harness, because the
//! threads of the harness allocate too.

use std::alloc::System;
use std::time::Duration;

use heartbeat_async::{Observer, Outcome};
use heartbeat_otel::OtelObserver;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter).build();
    let attributes = [KeyValue::new("route", "/prices"), KeyValue::new("region", "north")];
    let observer = OtelObserver::with_attributes(&provider.meter("test"), attributes);
    report(&observer, Duration::ZERO); // the first delay and reason create time series
    provider.force_flush().expect("exported"); // the exporter's thread has started

    let allocations = Region::new(ALLOCATOR);
    for second in 0..1000 {
        let observer = observer.clone();
        report(&observer, Duration::from_secs(second));
    }
    let change = allocations.change();
    assert_eq!(change.allocations + change.reallocations, 0, "{change:?}");

    drop(std::hint::black_box(vec![0u8; 1]));
    assert_eq!(allocations.change().allocations, 1, "the allocator counts");
    println!("no call allocates");
}

fn report(observer: &OtelObserver, time: Duration) {
    observer.on_open();
    observer.on_heartbeat(Outcome::Sent, time, Some(24));
    observer.on_heartbeat(Outcome::Error, time, None);
    observer.on_cancelled();
    observer.on_give_up();
    observer.on_stall();
    observer.on_detached();
    observer.on_idle(time);
    observer.on_passthrough("content_type");
    observer.on_close();
}
