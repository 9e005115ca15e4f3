//! `HeartbeatStream` in virtual time, polled by hand.

use std::cell::{Cell, RefCell};
use std::future::{Pending, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;
use futures_util::stream;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{
    Config, Counters, HeartbeatStream, HeartbeatStreamExt, ItemKind, Jitter, MakeHeartbeat, MakeOk,
    NoObserver, Observed, Observer, Outcome, TimedOut, Timer,
};
use heartbeat_conformance::testing::{Source, SpyTimer};
use proptest::prelude::*;
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tokio_test::task::{Spawn, spawn};
use tokio_test::{assert_pending, assert_ready_eq};

use crate::secs;

type Heartbeats = fn() -> &'static str;
type Stream10<O> = HeartbeatStream<Source<&'static str>, Heartbeats, SpyTimer<VirtualTime>, O>;

fn heartbeat() -> &'static str {
    "heartbeat"
}

/// A stream, and what it depends on.
struct Opened<'a> {
    time: VirtualTime,
    timer: SpyTimer<VirtualTime>,
    source: Source<&'static str>,
    stream: Spawn<Stream10<Observed<&'a Counters>>>,
}

/// Opens a stream at zero.
fn open(config: Config, counters: &Counters) -> Opened<'_> {
    open_at(VirtualTime::new(), config, counters)
}

fn open_at(time: VirtualTime, config: Config, counters: &Counters) -> Opened<'_> {
    let (timer, source) = (SpyTimer::new(time.clone()), Source::new());
    let stream = source.clone().heartbeat(timer.clone(), config, heartbeat as Heartbeats);
    Opened { time, timer, source, stream: spawn(stream.with_observer(counters)) }
}

#[test]
fn t3_t16_the_silence_begins_when_the_consumer_polls_again() {
    let (time, source) = (VirtualTime::new(), Source::new());
    let mut stream = spawn(source.clone().heartbeat(time.clone(), secs(10), heartbeat));
    source.push("event");
    time.advance(secs(3));
    assert_ready_eq!(stream.poll_next(), Some("event"));
    time.advance(secs(2)); // the consumer holds the event
    assert_pending!(stream.poll_next()); // at 5 s
    time.advance(secs(9));
    assert_pending!(stream.poll_next());
    time.advance(secs(1));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
}

#[test]
fn t11_a_seed_determines_the_gaps() {
    fn first_heartbeat(config: Config) -> Duration {
        let time = VirtualTime::new();
        let mut quiet = spawn(stream::pending().heartbeat(time.clone(), config, heartbeat));
        while quiet.poll_next().is_pending() {
            time.advance(Duration::from_millis(1));
        }
        time.now()
    }
    let config = Config::every(secs(10)).with_jitter(Jitter::try_from(0.9).expect("a fraction"));
    let seeded = config.with_seed(7);
    assert_eq!(first_heartbeat(seeded), first_heartbeat(seeded));
    assert_ne!(first_heartbeat(seeded), first_heartbeat(config.with_seed(8)));
}

#[test]
fn t7_a_heartbeat_follows_an_event_though_the_clock_runs_back_after_the_sleep_has_ended() {
    let counters = Counters::new();
    let Opened { time, timer, source, mut stream } = open(Config::every(secs(10)), &counters);
    assert_pending!(stream.poll_next());
    time.advance(secs(10));
    assert!(stream.is_woken());
    source.push("event");
    timer.calls().set_clock_back(secs(5));
    assert_ready_eq!(stream.poll_next(), Some("event"));
    assert_pending!(stream.poll_next()); // at 5 s, by the clock
    time.advance(secs(5));
    time.advance(secs(5));
    assert!(stream.is_woken());
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
}

#[test]
fn t7_a_watchdog_expires_though_the_clock_runs_back_after_the_sleep_has_ended() {
    let (time, source) = (VirtualTime::new(), Source::new());
    let timer = SpyTimer::new(time.clone());
    let mut watched = spawn(source.clone().watchdog(timer.clone(), secs(10)));
    assert_pending!(watched.poll_next());
    time.advance(secs(10));
    assert!(watched.is_woken());
    source.push("event");
    timer.calls().set_clock_back(secs(5));
    assert_ready_eq!(watched.poll_next(), Some(Ok("event")));
    assert_pending!(watched.poll_next()); // at 5 s, by the clock
    time.advance(secs(5));
    time.advance(secs(5));
    assert!(watched.is_woken());
    assert_ready_eq!(watched.poll_next(), Some(Err(TimedOut::new(secs(10)))));
}

#[test]
fn t16_an_event_costs_one_reading_of_the_clock_and_one_poll_of_the_sleep() {
    let counters = Counters::new();
    let Opened { time, timer, source, mut stream } = open(Config::every(secs(10)), &counters);
    let calls = timer.calls();
    assert_pending!(stream.poll_next());
    let before = (calls.reads(), calls.sleep_polls());
    for _ in 0..9 {
        time.advance(secs(1));
        source.push("event");
        assert_ready_eq!(stream.poll_next(), Some("event"));
        assert_pending!(stream.poll_next());
    }
    assert_eq!((calls.reads(), calls.sleep_polls()), (before.0 + 9, before.1 + 9));
    time.advance(secs(10)); // the sleep ended meanwhile, at 10 s
    assert!(stream.is_woken());
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
}

#[test]
fn t16_a_heartbeat_costs_one_reset_and_one_poll_of_the_sleep() {
    let counters = Counters::new();
    let Opened { time, timer, mut stream, .. } = open(Config::every(secs(10)), &counters);
    let calls = timer.calls();
    assert_pending!(stream.poll_next());
    for heartbeats in 1..=3 {
        time.advance(secs(10));
        assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
        assert_pending!(stream.poll_next());
        assert_eq!((calls.resets(), calls.sleep_polls()), (heartbeats + 1, heartbeats + 1));
    }
}

#[test]
fn t11_t16_the_sleep_is_set_once_per_shortest_gap_at_most() {
    let jitter = Jitter::try_from(0.9).expect("a fraction");
    for seed in 0..5 {
        let counters = Counters::new();
        let config = Config::every(secs(1)).with_jitter(jitter).with_seed(seed);
        let Opened { time, timer, source, mut stream } = open(config, &counters);
        assert_pending!(stream.poll_next());
        let before = timer.calls().resets();
        for _ in 0..100 * 50 {
            time.advance(Duration::from_millis(20));
            source.push("event");
            assert_ready_eq!(stream.poll_next(), Some("event"));
            assert_pending!(stream.poll_next());
        }
        let resets = timer.calls().resets() - before;
        assert!((100..=1000).contains(&resets), "{resets} in 100 intervals");
    }
}

#[test]
fn t4_t16_a_coarse_timer_wakes_once_per_heartbeat() {
    let counters = Counters::new();
    let time = VirtualTime::new().with_granularity(secs(8)); // of which half a gap counts
    let Opened { time, timer, mut stream, .. } = open_at(time, Config::every(secs(10)), &counters);
    for heartbeats in 1..=5 {
        assert_pending!(stream.poll_next());
        time.advance(secs(4));
        assert!(!stream.is_woken(), "nothing is due yet");
        time.advance(secs(1));
        assert!(stream.is_woken());
        assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
        assert_eq!(timer.calls().resets(), heartbeats);
    }
}

/// An item `piece` is a part of a message, and no heartbeat may follow it.
#[derive(Default)]
struct Pieces(bool);

impl MakeHeartbeat<&'static str> for Pieces {
    fn make(&mut self) -> &'static str {
        "heartbeat"
    }

    fn classify(&mut self, item: &&'static str) -> ItemKind {
        self.0 = *item == "piece";
        ItemKind::Event
    }

    fn at_boundary(&self) -> bool {
        !self.0
    }
}

#[test]
fn t17_no_clock_is_read_inside_a_message() {
    let (time, source) = (VirtualTime::new(), Source::new());
    let timer = SpyTimer::new(time.clone());
    let make = MakeOk::new(Pieces::default());
    let stream = source.clone().heartbeat(timer.clone(), secs(10), make);
    let mut stream = spawn(stream.treat_as_heartbeat(|_| false)); // forwards to the others
    source.push(Ok::<_, ()>("piece"));
    assert_ready_eq!(stream.poll_next(), Some(Ok("piece")));
    assert_pending!(stream.poll_next());
    let reads = timer.calls().reads();
    time.advance(secs(25));
    assert_pending!(stream.poll_next());
    assert_eq!(timer.calls().reads(), reads);
    source.push(Ok("rest"));
    assert_ready_eq!(stream.poll_next(), Some(Ok("rest")));
    assert_pending!(stream.poll_next());
    time.advance(secs(10));
    assert!(stream.is_woken());
    assert_ready_eq!(stream.poll_next(), Some(Ok("heartbeat")));
}

#[test]
fn t1_t9_t19_a_stream_without_heartbeats_reports_no_idle_time() {
    for interval in [Duration::ZERO, secs(10)] {
        let counters = Counters::new();
        let Opened { time, timer, source, mut stream } = open(Config::every(interval), &counters);
        stream.enter(|_, stream| stream.stop());
        let reads = timer.calls().reads();
        for _ in 0..10 {
            time.advance(secs(1));
            source.push("event");
            assert_ready_eq!(stream.poll_next(), Some("event"));
            assert_pending!(stream.poll_next());
        }
        source.end();
        assert_ready_eq!(stream.poll_next(), None);
        assert_eq!(counters.snapshot().longest_idle, Duration::ZERO); // ten seconds would be wrong
        assert_eq!(timer.calls().reads(), reads);
    }
}

#[test]
fn t19_an_event_before_an_error_ends_the_idle_time() {
    let counters = Counters::new();
    let (time, source) = (VirtualTime::new(), Source::<Result<&str, &str>>::new());
    let stream = source.clone().try_heartbeat(time.clone(), Duration::MAX, heartbeat);
    let mut stream = spawn(stream.with_observer(&counters));
    time.advance(secs(50));
    source.push(Ok("event"));
    source.push(Err("broken"));
    assert_ready_eq!(stream.poll_next(), Some(Ok("event")));
    assert_ready_eq!(stream.poll_next(), Some(Err("broken")));
    assert_pending!(stream.poll_next()); // at 50 s the consumer has both
    time.advance(secs(50));
    source.push(Ok("event"));
    assert_ready_eq!(stream.poll_next(), Some(Ok("event")));
    assert_pending!(stream.poll_next());
    assert_eq!(counters.snapshot().longest_idle, secs(50));
}

#[test]
fn t3_t17_t19_an_error_does_not_end_the_idle_time() {
    let counters = Counters::new();
    let (time, source) = (VirtualTime::new(), Source::<Result<&str, &str>>::new());
    let stream = source.clone().try_heartbeat(time.clone(), secs(10), heartbeat);
    let mut stream = spawn(stream.with_observer(&counters));
    source.push(Ok("event"));
    assert_ready_eq!(stream.poll_next(), Some(Ok("event")));
    assert_pending!(stream.poll_next());
    time.advance(secs(8));
    source.push(Err("broken"));
    source.push(Ok("event"));
    assert_ready_eq!(stream.poll_next(), Some(Err("broken")));
    assert_ready_eq!(stream.poll_next(), Some(Ok("event")));
    time.advance(secs(1));
    assert_pending!(stream.poll_next());
    assert_eq!(counters.snapshot().longest_idle, secs(9));
}

#[test]
fn t19_the_heartbeat_in_flight_is_reported_to_the_new_observer() {
    let (early, late) = (Counters::new(), Counters::new());
    let (time, source) = (VirtualTime::new(), Source::<&str>::new());
    let stream = source.clone().heartbeat(time.clone(), secs(10), heartbeat);
    let mut stream = Box::pin(stream.with_observer(&early));
    let mut cx = Context::from_waker(Waker::noop());
    time.advance(secs(10));
    assert_ready_eq!(stream.as_mut().poll_next(&mut cx), Some("heartbeat"));

    let mut stream = spawn(Pin::into_inner(stream).with_observer(&late));
    assert_pending!(stream.poll_next());
    assert_eq!((early.snapshot().errors, late.snapshot().sent), (0, 1));
    time.advance(secs(10));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
}

#[test]
fn t12_t21_an_event_counts_where_a_heartbeat_from_elsewhere_follows() {
    let counters = Counters::new();
    let (time, source) = (VirtualTime::new(), Source::new());
    let config = Config::every(secs(10)).with_give_up_after(secs(25));
    let stream = source.clone().heartbeat(time.clone(), config, heartbeat);
    let mut stream =
        spawn(stream.treat_as_heartbeat(|item| *item == "heartbeat").with_observer(&counters));
    time.advance(secs(9));
    source.push("event");
    source.push("heartbeat");
    assert_ready_eq!(stream.poll_next(), Some("event"));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
    time.advance(secs(24)); // at 33 s, 24 s after the event
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
    assert_eq!(counters.snapshot().gave_up, 0);
    time.advance(secs(1));
    assert_pending!(stream.poll_next());
    assert_eq!(counters.snapshot().gave_up, 1);
}

#[test]
fn t2_t8_t12_an_endless_interval_allows_a_first_heartbeat_and_giving_up() {
    let counters = Counters::new();
    let config =
        Config::every(Duration::MAX).with_immediate_first(true).with_give_up_after(secs(5));
    let Opened { time, mut stream, .. } = open(config, &counters);
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
    time.advance(secs(5));
    assert!(stream.is_woken());
    assert_pending!(stream.poll_next());
    assert_eq!(stream.observer().snapshot().gave_up, 1);
}

#[test]
fn t1_t9_t17_the_size_hint_includes_heartbeats_while_they_may_come() {
    let counters = Counters::new();
    let push_and_end = |source: Source<_>| {
        source.push("one");
        source.end();
    };
    let Opened { source, mut stream, .. } = open(Config::every(secs(10)), &counters);
    push_and_end(source);
    assert_eq!(stream.size_hint(), (1, None)); // any number of heartbeats may come
    stream.enter(|_, stream| stream.stop());
    assert_eq!(stream.size_hint(), (1, Some(1)));

    let Opened { source, mut stream, .. } = open(Config::every(Duration::ZERO), &counters);
    push_and_end(source);
    assert_eq!(stream.size_hint(), (1, Some(1)));
    assert_ready_eq!(stream.poll_next(), Some("one"));
    assert!(!stream.is_terminated());
    assert_ready_eq!(stream.poll_next(), None);
    assert!(stream.is_terminated());
}

#[test]
fn t14_the_size_hint_of_a_watchdog_includes_its_error() {
    let time = VirtualTime::new();
    let mut watched = spawn(stream::iter(["one", "two"]).watchdog(time, secs(10)));
    assert_eq!(watched.size_hint(), (0, Some(3)));
    assert_ready_eq!(watched.poll_next(), Some(Ok("one")));
    assert_ready_eq!(watched.poll_next(), Some(Ok("two")));
    assert!(!watched.is_terminated());
    assert_ready_eq!(watched.poll_next(), None);
    assert!(watched.is_terminated());
    assert_eq!(watched.size_hint(), (0, Some(0)));
}

#[test]
fn t19_a_poll_without_an_item_does_not_end_the_idle_time() {
    let counters = Counters::new();
    let Opened { time, mut stream, .. } = open(Config::every(secs(10)), &counters);
    for _ in 0..9 {
        time.advance(secs(1));
        assert_pending!(stream.poll_next());
    }
    time.advance(secs(1));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
    assert_eq!(counters.snapshot().longest_idle, secs(10));
}

#[test]
fn t20_a_stream_with_a_sleep_of_its_own_reports_no_stall() {
    let config = Config::every(secs(10)).with_stall_after(secs(5));
    for polls_again in [true, false] {
        let counters = Counters::new();
        let Opened { time, mut stream, .. } = open(config, &counters);
        time.advance(secs(10));
        assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
        time.advance(secs(100));
        if polls_again {
            assert_pending!(stream.poll_next());
            time.advance(secs(10));
            assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
        }
        drop(stream);
        assert_eq!(counters.snapshot().stalled, 0);
    }
}

#[test]
fn t19_the_size_of_a_heartbeat_is_reported_where_it_is_known() {
    struct Sized;
    impl MakeHeartbeat<&'static str> for Sized {
        fn make(&mut self) -> &'static str {
            "heartbeat"
        }
        fn encoded_len(&mut self, item: &&'static str) -> Option<usize> {
            Some(item.len())
        }
    }

    let counters = Counters::new();
    let time = VirtualTime::new();
    let quiet = stream::pending::<&str>().heartbeat(time.clone(), secs(10), Sized);
    let quiet = quiet.treat_as_heartbeat(|_| false).with_observer(&counters);
    let mut quiet = spawn(quiet);
    for _ in 0..3 {
        time.advance(secs(10));
        assert_ready_eq!(quiet.poll_next(), Some("heartbeat"));
        assert_pending!(quiet.poll_next());
    }
    assert_eq!(counters.snapshot().bytes, 27);
    assert_eq!((heartbeat as Heartbeats).encoded_len(&"four"), None); // the default

    let mut in_results = MakeOk::new(Sized);
    assert_eq!(in_results.encoded_len(&Ok::<_, ()>("four")), Some(4));
    assert_eq!(in_results.encoded_len(&Err(())), None);
    assert_eq!(in_results.classify(&Err(())), ItemKind::Error);
    assert_eq!(in_results.classify(&Ok::<_, ()>("four")), ItemKind::Event);
}

#[test]
fn no_item_is_lost_with_the_wrapper() {
    let counters = Counters::new();
    let Opened { source, mut stream, .. } = open(Config::every(secs(10)), &counters);
    assert_pending!(stream.poll_next());
    source.push("one");
    let mut stream = stream.into_inner();
    assert_eq!(stream.get_ref().size_hint(), (1, None));
    stream.get_mut().push("two");
    let mut inner = spawn(stream.into_inner());
    assert_ready_eq!(inner.poll_next(), Some("one"));
    assert_ready_eq!(inner.poll_next(), Some("two"));
}

/// A timer whose clock and sleeps may cross threads.
struct Threaded;

impl Timer for Threaded {
    type Instant = Duration;
    type Sleep = Pending<()>;

    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep_until(&self, _: Duration) -> Self::Sleep {
        pending()
    }
}

#[test]
fn auto_traits_and_debug_are_those_of_the_parts() {
    assert_impl_all!(HeartbeatStream<stream::Pending<u8>, fn() -> u8, Threaded>: Send, Sync, Unpin);
    assert_not_impl_any!(Stream10<Observed<Counters>>: Send, Sync); // its timer is neither

    let quiet = stream::pending::<&str>().heartbeat(Threaded, secs(1), heartbeat);
    let text = format!("{quiet:?}");
    assert!(text.starts_with("HeartbeatStream { inner: Pending"), "{text}");
}

#[test]
fn an_observer_may_be_shared_and_be_a_trait_object() {
    let counters = Arc::new(Counters::new());
    let observer: Arc<dyn Observer + Send + Sync> = counters.clone();
    observer.on_give_up();
    observer.on_stall();
    observer.on_cancelled();
    let time = VirtualTime::new();
    let quiet = stream::pending().heartbeat(time.clone(), secs(10), heartbeat);
    let mut quiet = spawn(quiet.with_observer(observer));
    time.advance(secs(10));
    assert_ready_eq!(quiet.poll_next(), Some("heartbeat"));
    assert_pending!(quiet.poll_next());
    let counts = counters.snapshot();
    assert_eq!((counts.sent, counts.gave_up, counts.stalled, counts.cancelled), (1, 1, 1, 1));
    assert_eq!((counts.longest_idle, counts.live), (secs(10), 1));
    drop(quiet);
    assert_eq!(counters.snapshot().live, 0);
}

#[test]
fn a_reference_to_an_observer_forwards_all_reports() {
    #[derive(Default)]
    struct Log(RefCell<Vec<String>>);
    impl Log {
        fn add(&self, report: impl Into<String>) {
            self.0.borrow_mut().push(report.into());
        }
    }
    impl Observer for Log {
        fn on_open(&self) {
            self.add("open");
        }
        fn on_close(&self) {
            self.add("close");
        }
        fn on_heartbeat(&self, outcome: Outcome, late: Duration, encoded_len: Option<usize>) {
            self.add(format!("{outcome:?} {late:?} {encoded_len:?}"));
        }
        fn on_cancelled(&self) {
            self.add("cancelled");
        }
        fn on_give_up(&self) {
            self.add("give up");
        }
        fn on_stall(&self) {
            self.add("stall");
        }
        fn on_detached(&self) {
            self.add("detached");
        }
        fn on_idle(&self, lasted: Duration) {
            self.add(format!("idle {lasted:?}"));
        }
        fn on_passthrough(&self, reason: &'static str) {
            self.add(reason);
        }
    }

    fn report_all(observer: impl Observer) {
        observer.on_open();
        observer.on_heartbeat(Outcome::Sent, secs(1), Some(2));
        observer.on_cancelled();
        observer.on_give_up();
        observer.on_stall();
        observer.on_detached();
        observer.on_idle(secs(3));
        observer.on_passthrough("reason");
        observer.on_close();
    }
    let log = Log::default();
    report_all(&log);
    let expected =
        "open, Sent 1s Some(2), cancelled, give up, stall, detached, idle 3s, reason, close";
    assert_eq!(log.0.into_inner().join(", "), expected);
}

#[test]
fn t19_an_observer_that_is_not_enabled_is_sent_no_idle_time() {
    struct Enabled(bool, Cell<Duration>);
    impl Observer for Enabled {
        fn on_idle(&self, lasted: Duration) {
            self.1.set(lasted);
        }
        fn is_enabled(&self) -> bool {
            self.0
        }
    }

    for (is_enabled, idle) in [(true, secs(5)), (false, Duration::ZERO)] {
        let observer = Enabled(is_enabled, Cell::default());
        let (time, source) = (VirtualTime::new(), Source::new());
        let stream = source.clone().heartbeat(time.clone(), secs(10), heartbeat);
        let mut stream = spawn(stream.with_observer(&observer));
        time.advance(secs(5));
        source.push("event");
        assert_ready_eq!(stream.poll_next(), Some("event"));
        assert_pending!(stream.poll_next());
        assert_eq!(observer.1.get(), idle);
    }
    assert!(!NoObserver.is_enabled());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A consumer that always polls at once sees each event once and in order, no heartbeat sooner
    /// than the shortest gap after what came before it, and no silence longer than the interval.
    #[test]
    fn t3_t4_t16_no_silence_is_longer_than_the_interval(
        steps in prop::collection::vec((0u64..700, any::<bool>()), 1..200),
        jitter in 0f32..0.99,
    ) {
        let interval = secs(1);
        let config = Config::every(interval).with_jitter(Jitter::try_from(jitter).expect("valid"));
        let shortest = interval.mul_f32(0.999_999 - jitter);
        let (time, source) = (VirtualTime::new(), Source::new());
        let stream = HeartbeatStream::new(source.clone(), time.clone(), config, || None);
        let mut stream = spawn(stream);
        let (mut pushed, mut received, mut last) = (0, 0, time.now());
        prop_assert!(stream.poll_next().is_pending());
        for (millis, push) in steps {
            for _ in 0..millis {
                time.advance(Duration::from_millis(1));
                if !stream.is_woken() {
                    continue;
                }
                while let Poll::Ready(Some(item)) = stream.poll_next() {
                    let silence = time.now().saturating_sub(last);
                    prop_assert!(silence <= interval, "{:?}", silence);
                    prop_assert_eq!(item, None, "no event before it was pushed");
                    prop_assert!(silence >= shortest, "{:?} < {:?}", silence, shortest);
                    last = time.now();
                }
            }
            if push {
                source.push(Some(pushed));
                pushed += 1;
                while let Poll::Ready(Some(item)) = stream.poll_next() {
                    if item.is_some() {
                        prop_assert_eq!(item, Some(received));
                        received += 1;
                    }
                    last = time.now();
                }
            }
        }
        prop_assert_eq!(received, pushed);
        prop_assert!(time.now().saturating_sub(last) <= interval);
    }
}
