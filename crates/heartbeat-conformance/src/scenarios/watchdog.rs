//! Scenarios for a stream with a watchdog.
//!
//! Timeouts are ten ticks, unless the scenario is about something else.

use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;

use crate::consumer::Consumer;
use crate::flag_waker::FlagWaker;
use crate::source::Source;
use crate::spy_timer::{SpyTimer, TimerCalls};
use crate::subject::Subject;
use crate::test_bed::{TestBed, TimeWindow};
use crate::test_result::{Failed, TestResult, ensure};
use heartbeat_async::{TimedOut, Timer, WatchdogStream};

/// Treats `heartbeat` as a heartbeat, and skips it.
type Tested<T> = WatchdogStream<Source<&'static str>, SpyTimer<T>, fn(&&'static str) -> bool>;

/// A watched stream under test, and all that can be seen of it.
struct OpenWatchdog<'a, S: Subject> {
    bed: &'a TestBed<S>,
    timeout: Duration,
    source: Source<&'static str>,
    calls: Rc<TimerCalls>,
    consumer: Consumer<S, Tested<S::Timer>>,
}

impl<'a, S: Subject> OpenWatchdog<'a, S> {
    fn open(bed: &'a TestBed<S>, timeout: Duration) -> Self {
        let source = Source::new();
        let timer = SpyTimer::new(bed.timer().clone());
        let calls = timer.calls();
        let from = bed.now();
        let stream = WatchdogStream::new(source.clone(), timer, timeout);
        let opened_at = bed.window(from);
        let is_heartbeat: fn(&&'static str) -> bool = |item| *item == "heartbeat";
        let consumer = Consumer::new(bed.clone(), stream.skip_heartbeats(is_heartbeat), opened_at);
        Self { bed, timeout, source, calls, consumer }
    }

    /// Waits that many ticks after the consumer came back, and nothing must come.
    async fn expect_silence_for(&mut self, ticks: u32) -> TestResult {
        let until = self.consumer.last_poll().to + self.bed.ticks(ticks);
        self.consumer.expect_silence_until(until).await
    }

    /// Takes an event.
    async fn expect_event(&mut self) -> TestResult {
        self.source.push("event");
        self.consumer.expect_item(Ok("event")).await
    }

    /// Receives a heartbeat, and expects no item.
    async fn expect_skip(&mut self) -> TestResult {
        self.source.push("heartbeat");
        let from = self.bed.now();
        self.consumer.assert_pending().await?;
        self.consumer.mark_polled_at(self.bed.window(from));
        Ok(())
    }

    /// Waits for the error, which must come a timeout after the consumer came back: never earlier,
    /// later by what a sleep may be early or late.
    async fn expect_timeout(&mut self) -> TestResult {
        let back = self.consumer.last_poll();
        let latest = back.to + self.timeout + self.bed.timer().granularity() + self.bed.late();
        let error = Err(TimedOut::new(self.timeout));
        self.consumer.expect_between(error, back.from + self.timeout, latest).await.map(drop)
    }

    fn reads_and_settings(&self) -> (usize, usize) {
        (self.calls.reads(), self.calls.resets())
    }
}

pub(crate) async fn t1_watchdog_a_timeout_of_zero_needs_no_clock_and_no_sleep<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut open = OpenWatchdog::open(bed, Duration::ZERO);
    let before = open.reads_and_settings();
    for _ in 0..2 {
        open.expect_silence_for(15).await?;
        open.expect_event().await?;
    }
    let now = open.reads_and_settings();
    ensure!(now == before, "reads and resets went from {before:?} to {now:?}");
    Ok(())
}

pub(crate) async fn t7_watchdog_a_clock_that_runs_back_moves_no_deadline<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut open = OpenWatchdog::open(bed, bed.ticks(10));
    open.consumer.expect_silence_until(bed.ticks(7)).await?;
    let seen = bed.now();
    open.consumer.assert_pending_before(bed.ticks(9)).await?;
    open.calls.set_clock_back(bed.ticks(5));
    open.expect_event().await?;
    open.calls.set_clock_back(Duration::ZERO);
    open.consumer.mark_polled_at(TimeWindow { from: seen, to: bed.now() });
    open.expect_timeout().await
}

pub(crate) async fn t8_watchdog_a_timeout_past_the_end_of_time_never_comes<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut open = OpenWatchdog::open(bed, Duration::MAX);
    open.expect_silence_for(15).await?;
    open.expect_event().await?;
    open.expect_silence_for(15).await?;
    ensure!(open.calls.resets() == 0, "a sleep was set for a timeout that never comes");
    Ok(())
}

pub(crate) async fn t14_watchdog_a_silent_peer_is_reported_once_and_never_early<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    for asked_shortly_before in [false, true] {
        let mut open = OpenWatchdog::open(bed, bed.ticks(10));
        if asked_shortly_before {
            open.expect_silence_for(9).await?;
        }
        open.expect_timeout().await?;
        open.source.push("event"); // too late
        for _ in 0..2 {
            let polled = open.consumer.poll_once().await;
            ensure!(polled == Poll::Ready(None), "{polled:?} after the error");
        }
        ensure!(open.calls.sleeps() == 0, "a sleep is left");
        let stream = open.consumer.stream();
        ensure!(stream.is_terminated(), "it does not say that it has ended");
        ensure!(stream.size_hint() == (0, Some(0)), "{:?} after the end", stream.size_hint());
    }
    Ok(())
}

pub(crate) async fn t14_watchdog_an_item_restarts_the_timeout<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut open = OpenWatchdog::open(bed, bed.ticks(10));
    for round in 0..3 * bed.repetitions() {
        open.expect_silence_for([7, 3, 8][round as usize % 3]).await?;
        open.expect_event().await?;
    }
    open.expect_timeout().await
}

pub(crate) async fn t14_watchdog_a_skipped_heartbeat_restarts_the_timeout<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut open = OpenWatchdog::open(bed, bed.ticks(10));
    for _ in 0..bed.repetitions() {
        open.expect_silence_for(7).await?;
        open.expect_skip().await?;
    }
    for item in ["heartbeat", "heartbeat", "event", "heartbeat"] {
        open.source.push(item);
    }
    open.consumer.expect_item(Ok("event")).await?;
    open.expect_timeout().await
}

pub(crate) async fn t14_watchdog_an_idle_consumer_gets_what_has_come<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut open = OpenWatchdog::open(bed, bed.ticks(10));
    open.consumer.expect_silence_until(bed.ticks(2)).await?;
    bed.sleep_until(bed.ticks(25)).await?;
    open.expect_event().await?;
    open.source.push("event");
    let taken = open.consumer.poll_once().await;
    ensure!(taken == Poll::Ready(Some(Ok("event"))), "{taken:?} where an item was ready");
    bed.sleep_until(bed.ticks(50)).await?; // busy with the item
    open.consumer.assert_pending().await?;
    open.expect_timeout().await
}

pub(crate) async fn t14_watchdog_the_end_is_no_silence<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut open = OpenWatchdog::open(bed, bed.ticks(10));
    open.consumer.expect_silence_until(bed.ticks(5)).await?;
    bed.sleep_until(bed.ticks(12)).await?; // too long a silence
    open.source.end();
    for _ in 0..2 {
        let polled = open.consumer.poll_once().await;
        ensure!(polled == Poll::Ready(None), "{polled:?} at the end");
    }
    ensure!(open.source.ends_seen() == 1, "the inner stream was polled after its end");
    ensure!(open.calls.sleeps() == 0, "a sleep is left");
    Ok(())
}

pub(crate) async fn t16_watchdog_a_burst_reads_no_clock_and_sets_no_sleep<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut open = OpenWatchdog::open(bed, bed.ticks(10));
    open.consumer.expect_silence_until(bed.ticks(2)).await?;
    for _ in 0..1000 {
        open.source.push("event");
    }
    let before = open.reads_and_settings();
    for _ in 0..1000 {
        let taken = open.consumer.poll_once().await;
        ensure!(taken == Poll::Ready(Some(Ok("event"))), "{taken:?} amid a burst");
    }
    let after = open.reads_and_settings();
    ensure!(after == before, "reads and resets went from {before:?} to {after:?}");
    open.consumer.assert_pending().await?;
    bed.check_before(bed.ticks(8))?;
    let end = open.reads_and_settings();
    ensure!(end == (before.0 + 1, before.1), "reads and resets went from {before:?} to {end:?}");
    Ok(())
}

pub(crate) async fn t16_watchdog_the_sleep_is_set_once_per_timeout_at_most<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut open = OpenWatchdog::open(bed, bed.ticks(10));
    for _ in 0..5 * bed.repetitions() {
        open.expect_silence_for(2).await?;
        open.expect_event().await?;
    }
    let resets = open.calls.resets();
    ensure!(resets <= bed.max_resets(), "{resets} resets in {:?}", bed.now());
    Ok(())
}

pub(crate) async fn t16_watchdog_the_last_waker_is_woken<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut open = OpenWatchdog::open(bed, bed.ticks(10));
    open.consumer.expect_silence_until(bed.ticks(4)).await?; // by this task
    open.source.push("event");
    let (woken, waker) = FlagWaker::new();
    open.consumer.expect_item_with(&waker, Ok("event"))?;
    let latest = open.consumer.last_poll().to + bed.ticks(10) + bed.timer().granularity();
    woken.take();
    bed.sleep_until(latest + bed.late() + bed.ticks(1)).await?;
    if !woken.take() {
        return Err(Failed::TooLate(String::from("the last waker was not called")));
    }
    let polled = open.consumer.poll_once().await;
    let error = Err(TimedOut::new(open.timeout));
    ensure!(polled == Poll::Ready(Some(error)), "{polled:?} after the timeout");
    Ok(())
}

pub(crate) async fn t16_watchdog_a_sleep_that_is_early_does_not_spin<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let mut open = OpenWatchdog::open(bed, bed.ticks(10));
    open.calls.fire_early_by(bed.ticks(4));
    open.consumer.assert_pending_before(bed.ticks(2)).await?;
    bed.sleep_until(bed.ticks(8)).await?;
    open.consumer.check_no_spin_before(bed.ticks(9), &open.calls)?;
    open.calls.fire_early_by(Duration::ZERO);
    open.expect_timeout().await
}
