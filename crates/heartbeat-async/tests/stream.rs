//! `HeartbeatStream`, rule by rule, in virtual time and polled by hand.

mod support;

use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;
use heartbeat_async::{
    Config, Counters, HeartbeatStream, HeartbeatStreamExt, ItemKind, Jitter, MakeHeartbeat, MakeOk,
    NoObserver, Observed, Observer, Timer,
};
use proptest::prelude::*;
use static_assertions::{assert_impl_all, assert_not_impl_any};
use support::{Clock, Source};
use tokio_test::task::{Spawn, spawn};
use tokio_test::{assert_pending, assert_ready_eq};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

type Heartbeats = fn() -> &'static str;
type Stream10<O = NoObserver> = HeartbeatStream<Source<&'static str>, Heartbeats, Clock, O>;

fn heartbeat() -> &'static str {
    "heartbeat"
}

/// A stream with an interval of 10 s, born at 0 s.
fn ten_seconds() -> (Clock, Source<&'static str>, Spawn<Stream10>) {
    with_config(Config::every(secs(10)))
}

fn with_config(config: Config) -> (Clock, Source<&'static str>, Spawn<Stream10>) {
    let (clock, source) = (Clock::default(), Source::new());
    let stream =
        HeartbeatStream::new(source.clone(), clock.clone(), config, heartbeat as Heartbeats);
    (clock, source, spawn(stream))
}

fn observed(
    config: Config,
    counters: &Counters,
) -> (Clock, Source<&'static str>, Spawn<Stream10<Observed<&Counters>>>) {
    let (clock, source) = (Clock::default(), Source::new());
    let stream =
        HeartbeatStream::new(source.clone(), clock.clone(), config, heartbeat as Heartbeats);
    (clock, source, spawn(stream.with_observer(counters)))
}

#[test]
fn t1_an_interval_of_zero_passes_through_without_clock_or_alarm() {
    let (clock, source, mut stream) =
        with_config(Config::every(Duration::ZERO).with_immediate_first(true));
    let born = clock.reads();
    for _ in 0..3 {
        assert_pending!(stream.poll_next());
        clock.advance(secs(1_000_000));
        source.push("real");
        assert_ready_eq!(stream.poll_next(), Some("real"));
    }
    assert_pending!(stream.poll_next());
    assert_eq!((clock.reads() - born, clock.resets()), (0, 0));
}

#[test]
fn t2_the_first_heartbeat_comes_a_gap_after_birth_not_after_the_first_poll() {
    let (clock, _source, mut stream) = ten_seconds();
    clock.advance(secs(4));
    assert_pending!(stream.poll_next());
    clock.advance(secs(6).saturating_sub(Duration::from_nanos(1)));
    assert!(!stream.is_woken());
    assert_pending!(stream.poll_next());
    clock.advance(Duration::from_nanos(1));
    assert!(stream.is_woken());
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
}

#[test]
fn t2_prompt_heartbeats_at_the_first_poll() {
    let (_clock, _source, mut stream) =
        with_config(Config::every(secs(10)).with_immediate_first(true));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
}

#[test]
fn t3_t16_the_silence_begins_when_the_consumer_is_back() {
    let (clock, source, mut stream) = ten_seconds();
    source.push("real");
    clock.advance(secs(3));
    assert_ready_eq!(stream.poll_next(), Some("real"));
    clock.advance(secs(2)); // the consumer is at work on it
    assert_pending!(stream.poll_next()); // at 5 s it is back
    clock.advance(secs(9));
    assert_pending!(stream.poll_next());
    clock.advance(secs(1));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
}

#[test]
fn t5_t17_a_consumer_that_was_away_gets_one_heartbeat_not_four() {
    let (clock, _source, mut stream) = ten_seconds();
    assert_pending!(stream.poll_next());
    clock.advance(secs(45));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
    clock.advance(secs(9));
    assert_pending!(stream.poll_next());
    clock.advance(secs(1));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
}

#[test]
fn t6_t17_an_item_that_is_ready_goes_before_a_heartbeat_that_is_due_and_takes_its_place() {
    let (clock, source, mut stream) = ten_seconds();
    assert_pending!(stream.poll_next());
    clock.advance(secs(10));
    source.push("real");
    assert_ready_eq!(stream.poll_next(), Some("real"));
    assert_pending!(stream.poll_next());
    clock.advance(secs(10));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
}

#[test]
fn t8_an_interval_past_the_end_of_time_sets_no_alarm() {
    let (clock, source, mut stream) = with_config(Config::every(Duration::MAX));
    assert_pending!(stream.poll_next());
    source.push("real");
    assert_ready_eq!(stream.poll_next(), Some("real"));
    assert_pending!(stream.poll_next());
    assert_eq!(clock.resets(), 0);
}

#[test]
fn t9_after_stop_items_pass_and_no_heartbeat_follows() {
    let (clock, source, mut stream) = ten_seconds();
    assert_pending!(stream.poll_next());
    assert_eq!(clock.alarms(), 1);
    stream.enter(|_, stream| stream.stop());
    stream.enter(|_, stream| stream.stop());
    assert_eq!(clock.alarms(), 0);
    clock.advance(secs(100));
    assert_pending!(stream.poll_next());
    source.push("real");
    assert_ready_eq!(stream.poll_next(), Some("real"));
    assert_eq!(stream.size_hint(), (0, None));
    source.end();
    assert_eq!(stream.size_hint(), (0, Some(0)));
    assert_ready_eq!(stream.poll_next(), None);
    stream.enter(|_, stream| stream.stop());
    assert!(stream.is_terminated());
}

#[test]
fn t11_streams_opened_together_drift_apart_unless_they_share_a_seed() {
    fn first_heartbeat(config: Config) -> Duration {
        let (clock, _source, mut stream) = with_config(config);
        while stream.poll_next().is_pending() {
            clock.advance(Duration::from_millis(1));
        }
        clock.at()
    }
    let config = Config::every(secs(10)).with_jitter(Jitter::try_from(0.9).expect("a fraction"));
    let heartbeats: Vec<Duration> = (0..8).map(|_| first_heartbeat(config)).collect();
    assert!(heartbeats.iter().all(|at| (secs(1)..=secs(10)).contains(at)), "{heartbeats:?}");
    assert!(
        heartbeats.iter().any(|at| at.abs_diff(heartbeats[0]) > Duration::from_millis(100)),
        "{heartbeats:?}"
    );

    let seeded = config.with_seed(7);
    assert_eq!(first_heartbeat(seeded), first_heartbeat(seeded));
}

#[test]
fn t12_t21_foreign_heartbeats_break_the_silence_but_show_no_life() {
    let counters = Counters::new();
    let (clock, source) = (Clock::default(), Source::new());
    let config = Config::every(secs(10)).with_give_up_after(secs(25));
    let stream =
        HeartbeatStream::new(source.clone(), clock.clone(), config, heartbeat as Heartbeats)
            .treat_as_heartbeat(|item: &&str| *item == "heartbeat")
            .with_observer(&counters);
    let mut stream = spawn(stream);

    for _ in 0..4 {
        assert_pending!(stream.poll_next());
        clock.advance(secs(6));
        source.push("heartbeat"); // the inner one's
        assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    }
    assert_pending!(stream.poll_next()); // 24 s: ours was never due
    assert_eq!(counters.snapshot().gave_up, 0);
    clock.advance(secs(1));
    assert_pending!(stream.poll_next()); // 25 s without a real event
    assert_eq!(counters.snapshot().gave_up, 1);
    clock.advance(secs(100));
    assert_pending!(stream.poll_next());

    source.push("real"); // the producer is back
    assert_ready_eq!(stream.poll_next(), Some("real"));
    assert_pending!(stream.poll_next());
    clock.advance(secs(10));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_eq!(counters.snapshot().gave_up, 1);
}

#[test]
fn t21_two_wrappers_heartbeat_no_more_than_one() {
    let (clock, source) = (Clock::default(), Source::new());
    let inner = HeartbeatStream::new(source.clone(), clock.clone(), secs(10), || "inner");
    let outer = HeartbeatStream::new(inner, clock.clone(), secs(10), || "outer");
    let mut stream = spawn(outer.treat_as_heartbeat(|item| *item == "inner"));
    for _ in 0..5 {
        assert_pending!(stream.poll_next());
        clock.advance(secs(10));
        assert_ready_eq!(stream.poll_next(), Some("inner"));
        assert_pending!(stream.poll_next());
    }
}

#[test]
fn t16_a_burst_of_ready_items_reads_no_clock_and_touches_no_alarm() {
    let (clock, source, mut stream) = ten_seconds();
    assert_pending!(stream.poll_next());
    let before = (clock.reads(), clock.resets());
    for _ in 0..100_000 {
        source.push("real");
        assert_ready_eq!(stream.poll_next(), Some("real"));
    }
    assert_eq!((clock.reads(), clock.resets()), before);
    assert_pending!(stream.poll_next());
    assert_eq!((clock.reads(), clock.resets()), (before.0 + 1, before.1));
}

#[test]
fn t16_a_slow_stream_costs_a_look_at_the_clock_and_none_at_the_alarm() {
    let (clock, source, mut stream) = ten_seconds();
    assert_pending!(stream.poll_next());
    let before = (clock.reads(), clock.alarm_polls());
    for _ in 0..9 {
        clock.advance(secs(1));
        source.push("real");
        assert_ready_eq!(stream.poll_next(), Some("real"));
        assert_pending!(stream.poll_next());
    }
    assert_eq!((clock.reads(), clock.alarm_polls()), (before.0 + 9, before.1));
    clock.advance(secs(10)); // the alarm has gone off meanwhile, at 10 s
    assert!(stream.is_woken());
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
}

#[test]
fn t16_whoever_polled_last_is_woken_also_if_nothing_but_that_has_changed() {
    let (clock, source) = (Clock::default(), Source::<&str>::new());
    let mut stream = source.clone().heartbeat(clock.clone(), secs(10), heartbeat as Heartbeats);
    let mut one = spawn(());
    assert!(one.enter(|cx, _| Pin::new(&mut stream).poll_next(cx)).is_pending());
    source.push("real");
    let mut other = spawn(());
    assert!(other.enter(|cx, _| Pin::new(&mut stream).poll_next(cx)).is_ready());
    assert!(other.enter(|cx, _| Pin::new(&mut stream).poll_next(cx)).is_pending());
    clock.advance(secs(10));
    assert!(other.is_woken());
}

/// Plays 100 intervals of 1 s with a send every 20 ms, and counts how often the alarm was moved.
fn rearms_in_100_intervals(config: Config) -> usize {
    let (clock, source, mut stream) = with_config(config);
    assert_pending!(stream.poll_next());
    let armed_at_birth = clock.resets();
    for _ in 0..100 * 50 {
        clock.advance(Duration::from_millis(20));
        source.push("real");
        assert_ready_eq!(stream.poll_next(), Some("real"));
        assert_pending!(stream.poll_next());
    }
    clock.resets() - armed_at_birth
}

#[test]
fn t16_the_alarm_is_moved_at_most_once_per_shortest_gap_however_many_sends() {
    let config = Config::every(secs(1));
    let rearms = rearms_in_100_intervals(config);
    assert!((1..=100).contains(&rearms), "{rearms}");

    for seed in 0..5 {
        let jitter = Jitter::try_from(0.9).expect("a fraction");
        let rearms = rearms_in_100_intervals(config.with_jitter(jitter).with_seed(seed));
        assert!((100..=1000).contains(&rearms), "{rearms}");
    }
}

#[test]
fn t16_an_alarm_that_goes_off_too_early_costs_one_rearm_per_poll() {
    let (clock, _source, mut stream) = ten_seconds();
    clock.alarms_go_off_early(secs(20)); // at once, that is
    for polls in 1..=5 {
        assert_pending!(stream.poll_next());
        assert!(stream.is_woken(), "the deadline must not be missed");
        assert_eq!(clock.resets(), polls);
    }
    clock.advance(secs(10));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
}

#[test]
fn t4_a_timer_with_granularity_heartbeats_when_its_alarm_goes_off() {
    let clock = Clock::default();
    clock.set_granularity(secs(1));
    clock.alarms_go_off_early(secs(1));
    let quiet = Source::<&str>::new();
    let mut stream =
        spawn(HeartbeatStream::new(quiet, clock.clone(), secs(10), heartbeat as Heartbeats));
    assert_pending!(stream.poll_next());
    clock.advance(secs(9));
    assert!(stream.is_woken());
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_eq!(clock.resets(), 1);
}

/// Where the last item is `piece`, nothing may follow but the rest.
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
fn t17_within_a_message_nothing_heartbeats_and_no_clock_is_read_twice() {
    let (clock, source) = (Clock::default(), Source::new());
    let heartbeat = MakeOk::new(Pieces::default());
    let stream = HeartbeatStream::new(source.clone(), clock.clone(), secs(10), heartbeat);
    let mut stream = spawn(stream.treat_as_heartbeat(|_| false)); // wrappers ask what they wrap
    source.push(Ok::<_, ()>("piece"));
    assert_ready_eq!(stream.poll_next(), Some(Ok("piece")));
    assert_pending!(stream.poll_next());
    let reads = clock.reads();
    clock.advance(secs(25));
    assert_pending!(stream.poll_next());
    assert_eq!(clock.reads(), reads);
    source.push(Ok("rest"));
    assert_ready_eq!(stream.poll_next(), Some(Ok("rest")));
    assert_pending!(stream.poll_next());
    clock.advance(secs(10));
    assert!(stream.is_woken());
    assert_ready_eq!(stream.poll_next(), Some(Ok("heartbeat")));
}

#[test]
fn t17_the_end_is_the_end_and_is_remembered() {
    let counters = Counters::new();
    let (clock, source, mut stream) = observed(Config::every(secs(10)), &counters);
    assert_pending!(stream.poll_next());
    clock.advance(secs(10));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
    clock.advance(secs(10)); // a heartbeat is due
    source.end();
    assert!(!stream.is_terminated());
    assert_ready_eq!(stream.poll_next(), None);
    assert!(stream.is_terminated());
    assert_eq!(clock.alarms(), 0);
    assert_eq!(stream.size_hint(), (0, Some(0)));
    for _ in 0..3 {
        clock.advance(secs(100));
        assert_ready_eq!(stream.poll_next(), None);
    }
    assert_eq!(source.ends_seen(), 1, "the inner stream need not be fused");
    assert_eq!(counters.snapshot().sent, 1);
    assert_eq!(counters.snapshot().longest_idle, secs(10));
}

#[test]
fn t19_the_silence_before_the_end_is_told_too() {
    let counters = Counters::new();
    let config = Config::every(secs(10)).with_give_up_after(secs(15));
    let (clock, source, mut stream) = observed(config, &counters);
    clock.advance(secs(3600));
    assert_pending!(stream.poll_next());
    assert_eq!(stream.observer().snapshot().gave_up, 1);
    source.end();
    assert_ready_eq!(stream.poll_next(), None);
    assert_eq!(counters.snapshot().longest_idle, secs(3600));
}

#[test]
fn t1_t9_t19_a_stream_without_heartbeats_tells_no_silence_that_it_has_not_measured() {
    for interval in [Duration::ZERO, secs(10)] {
        let counters = Counters::new();
        let (clock, source, mut stream) = observed(Config::every(interval), &counters);
        stream.enter(|_, stream| stream.stop());
        let born = clock.reads();
        for _ in 0..10 {
            clock.advance(secs(1));
            source.push("real");
            assert_ready_eq!(stream.poll_next(), Some("real"));
            assert_pending!(stream.poll_next());
        }
        source.end();
        assert_ready_eq!(stream.poll_next(), None);
        assert_eq!(counters.snapshot().longest_idle, Duration::ZERO); // ten seconds would be wrong
        assert_eq!(clock.reads(), born);
    }
}

#[test]
fn t19_the_silence_is_right_around_an_error() {
    let counters = Counters::new();
    let (clock, source) = (Clock::default(), Source::<Result<&str, &str>>::new());
    let stream =
        source.clone().try_heartbeat(clock.clone(), Duration::MAX, heartbeat as Heartbeats);
    let mut stream = spawn(stream.with_observer(&counters));
    clock.advance(secs(50));
    source.push(Ok("real"));
    source.push(Err("broken"));
    assert_ready_eq!(stream.poll_next(), Some(Ok("real")));
    assert_ready_eq!(stream.poll_next(), Some(Err("broken")));
    assert_pending!(stream.poll_next()); // at 50 s both are out
    clock.advance(secs(50));
    source.push(Ok("real"));
    assert_ready_eq!(stream.poll_next(), Some(Ok("real")));
    assert_pending!(stream.poll_next());
    assert_eq!(counters.snapshot().longest_idle, secs(50));
}

#[test]
fn t19_an_observer_that_comes_later_hears_of_the_heartbeat_in_flight() {
    let (early, late) = (Counters::new(), Counters::new());
    let (clock, source) = (Clock::default(), Source::<&str>::new());
    let stream = source.clone().heartbeat(clock.clone(), secs(10), heartbeat as Heartbeats);
    let mut stream = Box::pin(stream.with_observer(&early));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    clock.advance(secs(10));
    assert_ready_eq!(stream.as_mut().poll_next(&mut cx), Some("heartbeat"));

    let mut stream = spawn(Pin::into_inner(stream).with_observer(&late));
    assert_pending!(stream.poll_next());
    assert_eq!((early.snapshot().errors, late.snapshot().sent), (0, 1));
    clock.advance(secs(10));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
}

#[test]
fn t12_t21_a_real_item_counts_whatever_is_taken_after_it() {
    let counters = Counters::new();
    let (clock, source) = (Clock::default(), Source::new());
    let config = Config::every(secs(10)).with_give_up_after(secs(25));
    let stream = source.clone().heartbeat(clock.clone(), config, heartbeat as Heartbeats);
    let mut stream =
        spawn(stream.treat_as_heartbeat(|item| *item == "heartbeat").with_observer(&counters));
    clock.advance(secs(9));
    source.push("real");
    source.push("heartbeat");
    assert_ready_eq!(stream.poll_next(), Some("real"));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
    clock.advance(secs(24)); // 33 s after birth, 24 s after the real one
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
    assert_eq!(counters.snapshot().gave_up, 0);
    clock.advance(secs(1));
    assert_pending!(stream.poll_next());
    assert_eq!(counters.snapshot().gave_up, 1);
}

#[test]
fn t2_t8_an_interval_that_never_ends_is_prompt_and_gives_up_all_the_same() {
    let counters = Counters::new();
    let config =
        Config::every(Duration::MAX).with_immediate_first(true).with_give_up_after(secs(5));
    let (clock, _source, mut stream) = observed(config, &counters);
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
    clock.advance(secs(5));
    assert!(stream.is_woken());
    assert_pending!(stream.poll_next());
    assert_eq!(counters.snapshot().gave_up, 1);
}

#[test]
fn t4_t16_a_timer_coarser_than_the_gap_wakes_no_more_often_than_it_must() {
    let clock = Clock::default();
    clock.set_granularity(secs(8)); // of which half a gap counts
    clock.alarms_go_off_early(secs(8));
    let quiet = Source::<&str>::new();
    let mut stream =
        spawn(quiet.clone().heartbeat(clock.clone(), secs(10), heartbeat as Heartbeats));
    for heartbeats in 1..=5 {
        assert_pending!(stream.poll_next());
        clock.advance(secs(4));
        assert!(!stream.is_woken(), "nothing is due yet");
        clock.advance(secs(1));
        assert!(stream.is_woken());
        assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
        assert_eq!(clock.resets(), heartbeats);
    }
}

#[test]
fn t17_the_size_hint_knows_of_heartbeats() {
    let (_clock, source, stream) = ten_seconds();
    source.push("one");
    source.end();
    assert_eq!(stream.size_hint(), (1, None)); // any number of heartbeats may come

    let (_clock, source, stream) = with_config(Config::every(Duration::ZERO));
    source.push("one");
    source.end();
    assert_eq!(stream.size_hint(), (1, Some(1)));
}

#[test]
fn t17_no_heartbeat_follows_an_error_until_something_else_does() {
    let (clock, source) = (Clock::default(), Source::<Result<&str, &str>>::new());
    let heartbeats = MakeOk::new(heartbeat as Heartbeats);
    let mut stream =
        spawn(HeartbeatStream::new(source.clone(), clock.clone(), secs(10), heartbeats));
    assert_pending!(stream.poll_next());

    source.push(Err("broken"));
    assert_ready_eq!(stream.poll_next(), Some(Err("broken")));
    for _ in 0..3 {
        clock.advance(secs(10));
        assert_pending!(stream.poll_next());
    }

    source.push(Ok("real"));
    assert_ready_eq!(stream.poll_next(), Some(Ok("real")));
    assert_pending!(stream.poll_next());
    clock.advance(secs(10));
    assert_ready_eq!(stream.poll_next(), Some(Ok("heartbeat")));
}

#[test]
fn t3_t17_an_error_is_no_send() {
    let counters = Counters::new();
    let (clock, source) = (Clock::default(), Source::<Result<&str, &str>>::new());
    let heartbeats = MakeOk::new(heartbeat as Heartbeats);
    let stream = HeartbeatStream::new(source.clone(), clock.clone(), secs(10), heartbeats);
    let mut stream = spawn(stream.with_observer(&counters));
    source.push(Ok("real"));
    assert_ready_eq!(stream.poll_next(), Some(Ok("real")));
    assert_pending!(stream.poll_next());
    clock.advance(secs(8));
    source.push(Err("broken"));
    source.push(Ok("real"));
    assert_ready_eq!(stream.poll_next(), Some(Err("broken")));
    assert_ready_eq!(stream.poll_next(), Some(Ok("real")));
    clock.advance(secs(1));
    assert_pending!(stream.poll_next());
    assert_eq!(counters.snapshot().longest_idle, secs(9));
}

#[test]
fn t19_what_becomes_of_a_heartbeat_is_counted_once_it_is_known() {
    let counters = Counters::new();
    let (clock, source, mut stream) = observed(Config::every(secs(10)), &counters);
    let told = || (counters.snapshot().sent, counters.snapshot().errors);

    clock.advance(secs(13));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_eq!(told(), (0, 0)); // not known yet
    source.push("real");
    assert_ready_eq!(stream.poll_next(), Some("real")); // the consumer is back
    assert_eq!(told(), (1, 0));
    assert_eq!(counters.snapshot().max_delay, secs(3));
    assert_pending!(stream.poll_next());
    assert_eq!(counters.snapshot().longest_idle, secs(13));

    clock.advance(secs(10));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
    assert_eq!(told(), (2, 0));

    clock.advance(secs(10));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    drop(stream);
    assert_eq!(told(), (2, 1)); // it never came back
}

#[test]
fn t19_the_size_of_a_heartbeat_is_told_where_it_is_known() {
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
    let (clock, quiet) = (Clock::default(), Source::<&str>::new());
    let stream = HeartbeatStream::new(quiet, clock.clone(), secs(10), Sized)
        .treat_as_heartbeat(|_: &&str| false)
        .with_observer(&counters);
    let mut stream = spawn(stream);
    for _ in 0..3 {
        clock.advance(secs(10));
        assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
        assert_pending!(stream.poll_next());
    }
    assert_eq!(counters.snapshot().bytes, 27);

    let mut in_results = MakeOk::new(Sized);
    assert_eq!(in_results.encoded_len(&Ok::<_, ()>("four")), Some(4));
    assert_eq!(in_results.encoded_len(&Err(())), None);
    assert_eq!(in_results.classify(&Err(())), ItemKind::Error);
    assert_eq!(in_results.classify(&Ok::<_, ()>("four")), ItemKind::Event);
}

#[test]
fn the_stream_within_comes_out_whole() {
    let (_clock, source, mut stream) = ten_seconds();
    assert_pending!(stream.poll_next());
    source.push("real");
    let mut stream = stream.into_inner();
    assert_eq!(stream.get_ref().size_hint(), (1, None));
    stream.get_mut().push("other");
    let mut inner = spawn(stream.into_inner());
    assert_ready_eq!(inner.poll_next(), Some("real"));
    assert_ready_eq!(inner.poll_next(), Some("other"));
}

/// Stands for a runtime whose clock and alarms may cross threads.
struct Threaded;

impl Timer for Threaded {
    type Instant = Duration;
    type Sleep = std::future::Pending<()>;

    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep_until(&self, _: Duration) -> Self::Sleep {
        std::future::pending()
    }
}

#[test]
fn what_its_parts_are_it_is_too() {
    type Quiet = futures_util::stream::Pending<u8>;
    assert_impl_all!(HeartbeatStream<Quiet, fn() -> u8, Threaded>: Send, Sync, Unpin);
    assert_not_impl_any!(Stream10: Send, Sync); // its clock is neither

    let quiet = futures_util::stream::pending::<&str>();
    let text =
        format!("{:?}", HeartbeatStream::new(quiet, Threaded, secs(1), heartbeat as Heartbeats));
    assert!(text.starts_with("HeartbeatStream { inner: Pending"), "{text}");
}

#[test]
fn observers_may_be_shared_and_have_no_type() {
    let counters = std::sync::Arc::new(Counters::new());
    let observer: std::sync::Arc<dyn Observer + Send + Sync> = counters.clone();
    observer.on_give_up();
    observer.on_stall();
    observer.on_cancelled();
    let (clock, source) = (Clock::default(), Source::<&str>::new());
    let stream = HeartbeatStream::new(source, clock.clone(), secs(10), heartbeat as Heartbeats);
    let mut stream = spawn(stream.with_observer(observer));
    clock.advance(secs(10));
    assert_ready_eq!(stream.poll_next(), Some("heartbeat"));
    assert_pending!(stream.poll_next());
    let counts = counters.snapshot();
    assert_eq!((counts.sent, counts.gave_up, counts.stalled, counts.cancelled), (1, 1, 1, 1));
    assert_eq!(counts.longest_idle, secs(10));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A consumer that always polls at once sees each real item once and in order, no heartbeat sooner
    /// than the shortest gap after what came before it, and no silence longer than the interval.
    #[test]
    fn t3_t4_t16_no_silence_is_longer_than_the_interval(
        steps in prop::collection::vec((0u64..700, any::<bool>()), 1..200),
        jitter in 0f32..0.99,
    ) {
        let interval = secs(1);
        let config = Config::every(interval).with_jitter(Jitter::try_from(jitter).expect("valid"));
        let shortest = interval.mul_f32(0.999_999 - jitter);
        let (clock, source) = (Clock::default(), Source::new());
        let stream = HeartbeatStream::new(source.clone(), clock.clone(), config, || None);
        let mut stream = spawn(stream);
        let (mut pushed, mut received, mut last) = (0, 0, clock.at());
        prop_assert!(stream.poll_next().is_pending());
        for (millis, push) in steps {
            for _ in 0..millis {
                clock.advance(Duration::from_millis(1));
                if !stream.is_woken() {
                    continue;
                }
                while let std::task::Poll::Ready(Some(item)) = stream.poll_next() {
                    let silence = clock.at().saturating_sub(last);
                    prop_assert!(silence <= interval, "{:?}", silence);
                    prop_assert_eq!(item, None, "no real item before it was pushed");
                    prop_assert!(silence >= shortest, "{:?} < {:?}", silence, shortest);
                    last = clock.at();
                }
            }
            if push {
                source.push(Some(pushed));
                pushed += 1;
                while let std::task::Poll::Ready(Some(item)) = stream.poll_next() {
                    if item.is_some() {
                        prop_assert_eq!(item, Some(received));
                        received += 1;
                    }
                    last = clock.at();
                }
            }
        }
        prop_assert_eq!(received, pushed);
        prop_assert!(clock.at().saturating_sub(last) <= interval);
    }
}
