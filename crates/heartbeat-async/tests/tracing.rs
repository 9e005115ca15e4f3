//! The events of the crate tracing.

use std::convert::Infallible;
use std::fmt::{self, Write};
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{join, select};
use futures_util::{FutureExt, StreamExt, sink, stream};
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{Config, HeartbeatStreamExt, Timer, heartbeat_sink};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Records the level, target and text of each event.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Fields(String);
        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                write!(self.0, " {field}={value:?}").unwrap();
            }
        }
        let metadata = event.metadata();
        let mut fields = Fields(format!("{} {}:", metadata.level(), metadata.target()));
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_stream_logs_its_heartbeats_and_giving_up() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let time = VirtualTime::new();
        let config = Config::every(secs(10)).with_give_up_after(secs(25));
        let mut heartbeats = Box::pin(stream::pending().heartbeat(time.clone(), config, || ()));
        time.block_on(async {
            let waits = time.sleep_until(secs(60));
            for _ in 0..2 {
                heartbeats.next().await;
            }
            select(heartbeats.next(), waits).await;
        });
    });
    assert_eq!(
        log.lines(),
        [
            "TRACE heartbeat: message=heartbeat sent late=0ns",
            "TRACE heartbeat: message=heartbeat sent late=0ns",
            "INFO heartbeat: message=no event for too long, heartbeats stopped",
        ]
    );
}

#[test]
fn a_lost_heartbeat_and_a_silent_peer_are_logged() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let time = VirtualTime::new();
        let heartbeats = stream::pending().heartbeat(time.clone(), secs(10), || ());
        time.block_on(Box::pin(heartbeats).next());
        let mut watched = pin!(stream::pending::<()>().watchdog(time.clone(), secs(45)));
        time.block_on(watched.next()).unwrap().unwrap_err();
    });
    assert_eq!(
        log.lines(),
        [
            "DEBUG heartbeat: message=heartbeat lost late=0ns",
            "INFO heartbeat: message=peer is silent timeout=45s",
        ]
    );
}

#[test]
fn a_delay_is_logged_in_whole_milliseconds() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let time = VirtualTime::new();
        let mut heartbeats = Box::pin(stream::pending().heartbeat(time.clone(), secs(10), || ()));
        assert!(heartbeats.next().now_or_never().is_none());
        time.advance(secs(11) + Duration::from_nanos(44_036_551));
        assert!(heartbeats.next().now_or_never().is_some());
    });
    assert_eq!(log.lines(), ["DEBUG heartbeat: message=heartbeat lost late=1.044s"]);
}

#[test]
fn a_driver_logs_its_heartbeats() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let time = VirtualTime::new();
        let (sender, driver) = heartbeat_sink(sink::drain(), time.clone(), secs(10), || ());
        let events = async {
            time.sleep_until(secs(15)).await;
            drop(sender);
        };
        time.block_on(join(driver, events)).0.unwrap();
    });
    assert_eq!(log.lines(), ["TRACE heartbeat: message=heartbeat sent late=0ns"]);
}

#[test]
fn a_driver_logs_a_cancelled_heartbeat() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let time = VirtualTime::new();
        let full = Box::pin(sink::unfold((), |(), ()| pending::<Result<(), Infallible>>()));
        let (sender, driver) = heartbeat_sink(full, time.clone(), secs(10), || ());
        let events = async {
            sender.feed(()).await.unwrap();
            time.sleep_until(secs(15)).await; // a heartbeat is due, and waits for the flush
            sender.stop().await;
            time.sleep_until(secs(20)).await;
        };
        time.block_on(select(Box::pin(driver), Box::pin(events)));
    });
    assert_eq!(log.lines(), ["TRACE heartbeat: message=heartbeat cancelled"]);
}
