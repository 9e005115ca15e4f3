//! Scenarios for a stream with heartbeats.
//!
//! Intervals are ten ticks, unless the scenario is about something else.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;

use crate::consumer::Consumer;
use crate::flag_waker::FlagWaker;
use crate::heartbeats::TestHeartbeats;
use crate::open_stream::OpenStream;
use crate::source::Source;
use crate::subject::{StoppableStream as _, Subject};
use crate::test_bed::{TestBed, TimeWindow};
use crate::test_result::{Failed, TestResult, ensure};
use heartbeat_async::{Config, HeartbeatStream, Jitter, MakeOk, Timer as _};

pub(crate) async fn t1_an_interval_of_zero_needs_no_clock_and_no_sleep<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let config = Config::every(Duration::ZERO).with_immediate_first(true);
    let mut opened = bed.open(config.with_give_up_after(bed.ticks(5)), TestHeartbeats::default());
    let opened_at = opened.calls.reads();
    for round in 1..=2 {
        opened.consumer.expect_silence_until(bed.ticks(15 * round)).await?;
        opened.source.push("event");
        opened.consumer.expect_item("event").await?;
    }
    let (reads, resets) = (opened.calls.reads() - opened_at, opened.calls.resets());
    ensure!(reads == 0, "the clock was read {reads} times");
    ensure!(resets == 0, "a sleep was set {resets} times");
    ensure!(opened.counters.snapshot().gave_up == 0, "it gave up");
    Ok(())
}

pub(crate) async fn t2_the_first_heartbeat_comes_after_one_interval<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    bed.sleep_until(bed.ticks(6)).await?; // without a poll
    opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await
}

pub(crate) async fn t2_an_immediate_first_heartbeat_comes_at_once<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let config = Config::every(bed.ticks(10)).with_immediate_first(true);
    let mut opened = bed.open(config, TestHeartbeats::default());
    opened.consumer.expect_item("heartbeat").await?;
    opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await
}

pub(crate) async fn t3_t16_an_event_moves_the_deadline<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    for _ in 0..bed.repetitions() {
        for pause in [6, 3] {
            let until = opened.consumer.last_poll().to + bed.ticks(pause);
            opened.consumer.expect_silence_until(until).await?;
            opened.source.push("event");
            opened.consumer.expect_item("event").await?;
        }
        opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await?;
    }
    Ok(())
}

pub(crate) async fn t4_a_heartbeat_is_never_early_and_never_missing<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    for _ in 0..bed.repetitions() {
        let until = opened.consumer.last_poll().to + bed.ticks(8);
        opened.consumer.expect_silence_until(until).await?; // so that it is polled shortly before the deadline, too
        opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await?;
    }
    Ok(())
}

pub(crate) async fn t5_t17_an_idle_consumer_gets_one_heartbeat<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    opened.consumer.expect_silence_until(bed.ticks(2)).await?;
    bed.sleep_until(bed.ticks(45)).await?;
    opened.consumer.expect_item("heartbeat").await?;
    opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await
}

pub(crate) async fn t6_t17_a_ready_item_goes_first_and_replaces_a_heartbeat<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    opened.consumer.expect_silence_until(bed.ticks(2)).await?;
    bed.sleep_until(bed.ticks(12)).await?;
    opened.source.push("event");
    opened.consumer.expect_item("event").await?;
    opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await
}

pub(crate) async fn t7_a_clock_that_runs_back_moves_no_deadline<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    opened.consumer.expect_silence_until(bed.ticks(7)).await?;
    let seen = bed.now();
    opened.consumer.assert_pending_before(bed.ticks(9)).await?;
    opened.calls.set_clock_back(bed.ticks(5));
    opened.source.push("event");
    opened.consumer.expect_item("event").await?;
    opened.calls.set_clock_back(Duration::ZERO);
    opened.consumer.mark_polled_at(TimeWindow { from: seen, to: bed.now() });
    opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await
}

pub(crate) async fn t8_an_interval_past_the_end_of_time_sends_nothing<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut opened = bed.open(Duration::MAX, TestHeartbeats::default());
    opened.consumer.expect_silence_until(bed.ticks(5)).await?;
    opened.source.push("event");
    opened.consumer.expect_item("event").await?;
    opened.consumer.expect_silence_until(bed.ticks(20)).await?;
    ensure!(opened.calls.resets() == 0, "a sleep was set for it");
    Ok(())
}

pub(crate) async fn t9_no_heartbeat_follows_stop<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    opened.consumer.expect_silence_until(bed.ticks(5)).await?;
    for _ in 0..2 {
        opened.consumer.stream().stop();
        ensure!(opened.fixture.sleeps() == 0, "its sleep is still set");
    }
    opened.consumer.expect_silence_until(bed.ticks(20)).await?;
    opened.source.push("event");
    opened.consumer.expect_item("event").await?;
    opened.consumer.expect_silence_until(bed.ticks(35)).await
}

pub(crate) async fn t10_t19_a_heartbeat_before_a_drop_is_one_error<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await?;
    opened.consumer.wait_for("heartbeat", bed.ticks(10)).await?;
    drop(opened.consumer);
    let counts = opened.counters.snapshot();
    ensure!(
        (counts.sent, counts.errors) == (1, 1),
        "{counts:?}, where one went out and one did not"
    );
    ensure!(opened.fixture.sleeps() == 0, "its sleep has outlived it");
    Ok(())
}

pub(crate) async fn t11_jitter_only_shortens<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let half = jitter(0.5)?;
    let config = Config::every(bed.ticks(10)).with_jitter(half).with_seed(7);
    let mut opened = bed.open(config, TestHeartbeats::default());
    let mut gaps = Vec::new();
    for _ in 0..3 * bed.repetitions() {
        let back = opened.consumer.last_poll().to;
        let seen = opened.consumer.expect_within("heartbeat", bed.ticks(5), bed.ticks(10)).await?;
        gaps.push(seen.from.saturating_sub(back));
        opened.consumer.assert_pending().await?;
    }
    ensure_spread(bed, &gaps)
}

pub(crate) async fn t11_streams_opened_together_drift_apart<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let config = Config::every(bed.ticks(10)).with_jitter(jitter(0.9)?);
    let mut gaps = Vec::new();
    for _ in 0..8 {
        let mut opened = bed.open(config, TestHeartbeats::default());
        let opened_at = opened.consumer.last_poll().to;
        let seen = opened.consumer.expect_within("heartbeat", bed.ticks(1), bed.ticks(10)).await?;
        gaps.push(seen.from.saturating_sub(opened_at));
    }
    ensure_spread(bed, &gaps)
}

fn jitter(fraction: f32) -> TestResult<Jitter> {
    Jitter::try_from(fraction).map_err(|error| Failed::Wrong(format!("{error}")))
}

fn ensure_spread<S: Subject>(bed: &TestBed<S>, gaps: &[Duration]) -> TestResult {
    let (shortest, longest) = (gaps.iter().min(), gaps.iter().max());
    let spread = longest.zip(shortest).map(|(longest, shortest)| longest.saturating_sub(*shortest));
    ensure!(spread > Some(bed.ticks(1)), "all gaps are much the same: {gaps:?}");
    Ok(())
}

pub(crate) async fn t12_a_dead_producer_is_given_up_once_until_it_sends<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let config = Config::every(bed.ticks(10)).with_give_up_after(bed.ticks(25));
    let mut opened = bed.open(config, TestHeartbeats::default());
    opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await?;
    opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await?;
    bed.check_before(bed.ticks(24))?; // another heartbeat would come before it gives up
    opened.consumer.expect_silence_until(bed.ticks(45)).await?;
    opened.consumer.assert_pending().await?;
    ensure!(opened.counters.snapshot().gave_up == 1, "{:?}", opened.counters.snapshot());

    opened.source.push("event");
    opened.consumer.expect_item("event").await?;
    opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await?;
    ensure!(opened.counters.snapshot().gave_up == 1, "{:?}", opened.counters.snapshot());
    Ok(())
}

pub(crate) async fn t12_t21_other_heartbeats_end_the_silence_but_are_no_events<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let config = Config::every(bed.ticks(10)).with_give_up_after(bed.ticks(25));
    let mut opened = bed.open(config, TestHeartbeats::default());
    for foreign in 1..=4 {
        opened.consumer.expect_silence_until(bed.ticks(6 * foreign)).await?;
        opened.source.push("foreign");
        opened.consumer.expect_item("foreign").await?;
    }
    opened.consumer.expect_silence_until(bed.ticks(40)).await?;
    ensure!(opened.counters.snapshot().gave_up == 1, "{:?}", opened.counters.snapshot());
    Ok(())
}

pub(crate) async fn t16_a_burst_reads_no_clock_and_sets_no_sleep<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    opened.consumer.expect_silence_until(bed.ticks(2)).await?;
    for _ in 0..1000 {
        opened.source.push("event");
    }
    let before = (opened.calls.reads(), opened.calls.resets());
    for _ in 0..1000 {
        let taken = opened.consumer.poll_once().await;
        ensure!(taken == Poll::Ready(Some("event")), "{taken:?} amid a burst");
    }
    let after = (opened.calls.reads(), opened.calls.resets());
    ensure!(after == before, "reads and resets went from {before:?} to {after:?}");
    opened.consumer.assert_pending().await?;
    bed.check_before(bed.ticks(8))?;
    let end = (opened.calls.reads(), opened.calls.resets());
    ensure!(end == (before.0 + 1, before.1), "reads and resets went from {before:?} to {end:?}");
    Ok(())
}

pub(crate) async fn t16_the_sleep_is_set_once_per_interval_at_most<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    for _ in 0..5 * bed.repetitions() {
        let until = opened.consumer.last_poll().to + bed.ticks(2);
        opened.consumer.expect_silence_until(until).await?;
        opened.source.push("event");
        opened.consumer.expect_item("event").await?;
    }
    let resets = opened.calls.resets();
    ensure!(resets <= bed.max_resets(), "{resets} resets in {:?}", bed.now());
    Ok(())
}

pub(crate) async fn t16_the_last_waker_is_woken<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    opened.consumer.expect_silence_until(bed.ticks(4)).await?; // by this task
    let (woken, waker) = FlagWaker::new();
    takes_and_is_woken(bed, &mut opened, &woken, &waker).await
}

pub(crate) async fn t16_an_earlier_waker_is_forgotten<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    let ((woken, waker), (_, between)) = (FlagWaker::new(), FlagWaker::new());
    for waker in [&waker, &between] {
        let polled = opened.consumer.poll(&mut Context::from_waker(waker));
        ensure!(polled.is_pending(), "{polled:?} where nothing was ready");
    }
    takes_and_is_woken(bed, &mut opened, &woken, &waker).await
}

pub(crate) async fn t16_an_item_taken_as_the_sleep_ends_is_followed_by_a_heartbeat<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    let (woken, waker) = FlagWaker::new();
    let polled = opened.consumer.poll(&mut Context::from_waker(&waker));
    ensure!(polled.is_pending(), "{polled:?} where nothing was ready");
    let due = opened.consumer.last_poll().to + bed.ticks(10);
    bed.timer().sleep_until(bed.instant(due)).await; // ends together with that of the stream
    bed.check_before(due + bed.late())?;
    takes_and_is_woken(bed, &mut opened, &woken, &waker).await
}

/// Takes an item, and expects to be woken in time for the next heartbeat without another poll.
async fn takes_and_is_woken<S: Subject>(
    bed: &TestBed<S>,
    opened: &mut OpenStream<S, &'static str, TestHeartbeats>,
    woken: &FlagWaker,
    waker: &Waker,
) -> TestResult {
    opened.source.push("event");
    opened.consumer.expect_item_with(waker, "event")?;
    let due = opened.consumer.last_poll().to + bed.ticks(10);
    woken.take();
    bed.sleep_until(due + bed.late() + bed.ticks(1)).await?;
    if !woken.take() {
        return Err(Failed::TooLate(String::from("the last waker was not called")));
    }
    opened.consumer.expect_item("heartbeat").await
}

pub(crate) async fn t16_a_sleep_that_is_early_does_not_spin<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    opened.calls.fire_early_by(bed.ticks(4));
    opened.consumer.assert_pending_before(bed.ticks(2)).await?;
    bed.sleep_until(bed.ticks(7)).await?;
    opened.consumer.check_no_spin_before(bed.ticks(9), &opened.calls)?;
    opened.calls.fire_early_by(Duration::ZERO);
    opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await
}

pub(crate) async fn t17_the_end_is_the_end<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    opened.consumer.expect_silence_until(bed.ticks(5)).await?;
    bed.sleep_until(bed.ticks(12)).await?; // a heartbeat is due
    opened.source.end();
    let hint = opened.consumer.stream().size_hint();
    ensure!(hint == (0, None), "{hint:?}, where heartbeats may come");
    for _ in 0..2 {
        let polled = opened.consumer.poll_once().await;
        ensure!(polled == Poll::Ready(None), "{polled:?} at the end");
    }
    ensure!(opened.source.ends_seen() == 1, "the inner stream was polled after its end");
    ensure!(opened.fixture.sleeps() == 0, "a sleep is left");
    let stream = opened.consumer.stream();
    ensure!(stream.is_terminated(), "it does not say that it has ended");
    ensure!(stream.size_hint() == (0, Some(0)), "{:?} after the end", stream.size_hint());
    Ok(())
}

pub(crate) async fn t17_no_heartbeat_follows_an_error<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), MakeOk::new(TestHeartbeats::default()));
    opened.consumer.expect_silence_until(bed.ticks(4)).await?;
    opened.source.push(Err("broken"));
    opened.consumer.expect_item(Err("broken")).await?;
    opened.consumer.expect_silence_until(bed.ticks(25)).await?;
    opened.source.push(Ok("event"));
    opened.consumer.expect_item(Ok("event")).await?;
    opened.consumer.expect_heartbeat(Ok("heartbeat"), bed.ticks(10)).await
}

pub(crate) async fn t17_no_heartbeat_inside_a_message<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    for round in 0..bed.repetitions() {
        let began = opened.consumer.last_poll().to;
        opened.consumer.expect_silence_until(began + bed.ticks(4)).await?;
        opened.source.push("piece");
        opened.consumer.expect_item("piece").await?;
        opened.consumer.expect_silence_until(began + bed.ticks(25)).await?;
        let rest = if round % 2 == 0 { "foreign" } else { "event" };
        opened.source.push(rest);
        opened.consumer.expect_item(rest).await?;
        opened.consumer.expect_heartbeat("heartbeat", bed.ticks(10)).await?;
    }
    Ok(())
}

pub(crate) async fn t17_items_pass_once_and_in_order<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), || None);
    let (mut pushed, mut heartbeats) = (0, 0);
    for round in 0..5 * bed.repetitions() {
        // In silence, at once, after a heartbeat, and while the consumer holds one.
        let pause = [4, 0, 14, 10][round as usize % 4];
        if pause == 10 {
            opened.consumer.wait_for(None, bed.ticks(pause)).await?;
            heartbeats += 1;
        } else {
            let until = opened.consumer.last_poll().to + bed.ticks(pause);
            heartbeats += opened.consumer.expect_count_by(until, &None).await?;
        }
        let batch = 1 + round % 3;
        for item in pushed..pushed + batch {
            opened.source.push(Some(item));
        }
        for item in pushed..pushed + batch {
            let taken = opened.consumer.poll_once().await;
            ensure!(taken == Poll::Ready(Some(Some(item))), "{taken:?} in place of {item}");
        }
        opened.consumer.assert_pending().await?;
        pushed += batch;
    }
    let sent = opened.counters.snapshot().sent;
    ensure!(
        heartbeats > 0 && sent == heartbeats,
        "{heartbeats} heartbeats came, and {sent} were reported"
    );
    Ok(())
}

pub(crate) async fn t19_outcomes_are_reported<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut opened = bed.open(bed.ticks(10), TestHeartbeats::default());
    let opened_at = opened.consumer.last_poll();
    bed.sleep_until(opened_at.to + bed.ticks(13)).await?;
    let from = bed.now();
    let polled = opened.consumer.poll_once().await;
    let asked = bed.window(from);
    ensure!(polled == Poll::Ready(Some("heartbeat")), "{polled:?} where a heartbeat was due");
    let counts = opened.counters.snapshot();
    ensure!(counts.sent == 0, "it was reported before the consumer polled again");

    opened.consumer.assert_pending().await?;
    let back = opened.consumer.last_poll();
    let counts = opened.counters.snapshot();
    ensure!((counts.sent, counts.errors) == (1, 0), "{counts:?} after one heartbeat");
    ensure!(counts.bytes == 9, "{} bytes, and not 9", counts.bytes);
    let late = counts.max_delay;
    ensure!(asked.since(opened_at).contains(late + bed.ticks(10)), "{late:?} late");
    let silence = counts.longest_idle;
    ensure!(back.since(opened_at).contains(silence), "a silence of {silence:?}");
    let others = (counts.cancelled, counts.gave_up, counts.stalled);
    ensure!(others == (0, 0, 0), "{counts:?}");

    bed.sleep_until(back.to + bed.ticks(30)).await?; // longer than any before
    opened.source.end();
    let from = bed.now();
    let polled = opened.consumer.poll_once().await;
    ensure!(polled == Poll::Ready(None), "{polled:?} at the end");
    let (ended, silence) = (bed.window(from), opened.counters.snapshot().longest_idle);
    ensure!(ended.since(back).contains(silence), "a silence of {silence:?} until the end");
    Ok(())
}

pub(crate) async fn t21_two_wrappers_send_no_more_than_one<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let from = bed.now();
    let source = Source::new();
    let gap = bed.ticks(10);
    let inner =
        HeartbeatStream::new(source.clone(), bed.subject().scheduler().0, gap, || "foreign");
    let outer =
        HeartbeatStream::new(inner, bed.subject().scheduler().0, gap, TestHeartbeats::default());
    let opened_at = TimeWindow { from, to: bed.now() };
    let mut consumer = Consumer::new(bed.clone(), outer, opened_at);
    for _ in 0..bed.repetitions() {
        consumer.expect_heartbeat("foreign", gap).await?;
    }
    source.push("event");
    consumer.expect_item("event").await
}
