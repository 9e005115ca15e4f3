//! Scenarios for a sink with heartbeats: its sender and its driver.
//!
//! Intervals are ten ticks, unless the scenario is about something else.

use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use crate::executor::{Handle, LocalExecutor};
use crate::heartbeats::TestHeartbeats;
use crate::spy_timer::TimerCalls;
use crate::subject::{Fixture, Subject};
use crate::test_bed::TestBed;
use crate::test_result::{Failed, TestResult, ensure};
use crate::test_sink::{SinkBehaviour, SinkError, TestSink};
use heartbeat_async::{Config, Counters, DriverError, Sender, heartbeat_sink};

/// A sink under test, with its driver running, and all that can be seen of it.
struct OpenSink<'a, S: Subject> {
    bed: &'a TestBed<S>,
    executor: LocalExecutor<'a>,
    sink: TestSink,
    sender: Sender<&'static str, S::Sink, TestHeartbeats, S::Scheduler>,
    driver: Handle<Result<(), DriverError<SinkError>>>,
    calls: Rc<TimerCalls>,
    fixture: Fixture<S::Timer>,
    counters: Rc<Counters>,
}

impl<'a, S: Subject + 'a> OpenSink<'a, S> {
    fn open(bed: &'a TestBed<S>, executor: &LocalExecutor<'a>, config: impl Into<Config>) -> Self {
        let (sink, counters) = (bed.sink(), Rc::new(Counters::new()));
        let (scheduler, fixture) = bed.subject().scheduler();
        let (sender, driver) = heartbeat_sink(
            bed.subject().sink(sink.clone()),
            scheduler,
            config,
            TestHeartbeats::default(),
        );
        let driver = executor.spawn(driver.with_observer(Rc::clone(&counters)));
        let (executor, calls) = (executor.clone(), fixture.calls());
        Self { bed, executor, sink, sender, driver, calls, fixture, counters }
    }

    /// Starts to send an item.
    fn send(&self, item: &'static str) -> Handle<Result<(), SinkError>> {
        let sender = self.sender.clone();
        self.executor.spawn(async move { sender.send(item).await })
    }

    /// Waits until `at`, and expects that the sink got exactly these items since the last call. Returns when it got the
    /// last of them.
    async fn until(&self, at: Duration, items: &[&str]) -> TestResult<Duration> {
        self.bed.sleep_until(at).await?;
        let mut came = self.sink.take();
        let expected = |came: &[(&str, _)]| came.iter().map(|came| &came.0).eq(items);
        if expected(&came) {
            return Ok(came.last().map_or(at, |last| last.1));
        }
        self.bed.sleep_until(at + self.bed.ticks(1)).await?;
        came.append(&mut self.sink.take());
        let what = format!("{came:?} by {at:?} in place of {items:?}");
        Err(if expected(&came) { Failed::TooLate(what) } else { Failed::Wrong(what) })
    }

    /// Waits for a heartbeat, which must come ten ticks after `since`, with nothing before it.
    async fn expect_heartbeat(&self, since: Duration) -> TestResult<Duration> {
        let at = self.until(since + self.bed.ticks(12), &["heartbeat"]).await?;
        self.bed.check_due(at, since, self.bed.ticks(10))?;
        Ok(at)
    }

    /// Waits until `at`, and expects that the sink gets nothing.
    async fn expect_silence_until(&self, at: u32) -> TestResult {
        self.until(self.bed.ticks(at), &[]).await.map(drop)
    }
}

/// Runs a scenario with a sink of its own, concurrently with the sink's driver.
async fn run<'a, S: Subject + 'a>(
    bed: &'a TestBed<S>,
    config: impl Into<Config>,
    scenario: impl AsyncFnOnce(OpenSink<'a, S>) -> TestResult,
) -> TestResult {
    let executor = LocalExecutor::default();
    let open = OpenSink::open(bed, &executor, config);
    executor.run_with(scenario(open)).await
}

/// The output of a task that must have ended.
fn ended<R>(what: &str, handle: &Handle<R>) -> TestResult<R> {
    handle.take().ok_or_else(|| Failed::TooLate(format!("{what} has not ended")))
}

pub(crate) async fn t1_sink_an_interval_of_zero_costs_nothing<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let config =
        Config::every(Duration::ZERO).with_immediate_first(true).with_stall_after(bed.ticks(3));
    run(bed, config, async |open| {
        open.expect_silence_until(15).await?;
        let before = (open.calls.reads(), open.calls.resets());
        for _ in 0..3 {
            let sent = open.sender.send("event").await;
            ensure!(sent.is_ok(), "{sent:?} from a sink that is open");
        }
        let after = (open.calls.reads(), open.calls.resets());
        ensure!(after == before, "reads and resets went from {before:?} to {after:?}");
        let woken = open.driver.polls();
        open.until(bed.ticks(30), &["event", "event", "event"]).await?;
        let after = (open.calls.reads(), open.calls.resets());
        ensure!(after == before, "reads and resets went from {before:?} to {after:?}");
        ensure!(open.calls.resets() == 0, "a sleep was set");
        ensure!(open.driver.polls() == woken, "its driver was woken by a send");
        Ok(())
    })
    .await
}

pub(crate) async fn t2_sink_an_immediate_first_heartbeat_comes_at_once<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let config = Config::every(bed.ticks(10)).with_immediate_first(true);
    run(bed, config, async |open| {
        let at = open.until(bed.ticks(2), &["heartbeat"]).await?;
        bed.check_due(at, Duration::ZERO, Duration::ZERO)?;
        open.expect_heartbeat(at).await.map(drop)
    })
    .await
}

pub(crate) async fn t3_sink_a_send_moves_the_deadline<S: Subject>(bed: &TestBed<S>) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        let mut last = Duration::ZERO;
        for _ in 0..bed.repetitions() {
            last = open.expect_heartbeat(last).await?;
            open.until(last + bed.ticks(6), &[]).await?;
            let sent = open.send("event");
            last = open.until(last + bed.ticks(8), &["event"]).await?;
            ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        }
        Ok(())
    })
    .await
}

pub(crate) async fn t3_sink_a_failed_send_moves_nothing<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(5).await?;
        for behaviour in [SinkBehaviour::Broken, SinkBehaviour::Refusing] {
            open.sink.set(behaviour);
            let sent = open.sender.send("event").await;
            ensure!(sent.is_err(), "it went through a sink that is broken");
        }
        open.sink.set(SinkBehaviour::Open);
        open.expect_heartbeat(Duration::ZERO).await.map(drop)
    })
    .await
}

pub(crate) async fn t5_sink_a_blocked_sink_gets_one_heartbeat<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(5).await?;
        open.sink.set(SinkBehaviour::Blocked);
        open.expect_silence_until(45).await?;
        open.sink.set(SinkBehaviour::Open);
        let at = open.until(bed.ticks(47), &["heartbeat"]).await?;
        open.expect_heartbeat(at).await?;
        let late = open.counters.snapshot().max_delay;
        ensure!(late >= bed.ticks(34), "a delay of {late:?} is reported after 35 ticks");
        Ok(())
    })
    .await
}

pub(crate) async fn t6_sink_an_event_that_waited_replaces_a_heartbeat<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(6).await?;
        open.sink.set(SinkBehaviour::Blocked);
        let sent = open.send("event");
        open.expect_silence_until(14).await?; // a heartbeat falls due
        open.sink.set(SinkBehaviour::Open);
        let at = open.until(bed.ticks(16), &["event"]).await?;
        ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        open.expect_heartbeat(at).await?;
        let counts = open.counters.snapshot();
        ensure!((counts.cancelled, counts.sent) == (1, 1), "{counts:?}");
        Ok(())
    })
    .await
}

pub(crate) async fn t6_sink_an_event_that_is_flushed_late_replaces_a_heartbeat<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(4).await?;
        open.sink.set(SinkBehaviour::Full);
        let sent = open.send("event");
        open.until(bed.ticks(17), &["event"]).await?; // a heartbeat falls due
        let out = bed.now();
        open.sink.set(SinkBehaviour::Open);
        open.expect_heartbeat(out).await?;
        ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        let counts = open.counters.snapshot();
        ensure!((counts.cancelled, counts.sent) == (1, 1), "{counts:?}");
        Ok(())
    })
    .await
}

pub(crate) async fn t9_sink_no_heartbeat_follows_stop<S: Subject>(bed: &TestBed<S>) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(5).await?;
        open.sink.set(SinkBehaviour::Blocked);
        open.expect_silence_until(12).await?; // a heartbeat is due
        let sent = open.send("event");
        open.expect_silence_until(13).await?;
        let sender = open.sender.clone();
        let stopped = open.executor.spawn(async move { sender.stop().await });
        open.expect_silence_until(15).await?;
        ended("the stop", &stopped)?;
        ended("the driver", &open.driver)?.map_err(wrong)?;
        open.sink.set(SinkBehaviour::Open);
        open.until(bed.ticks(30), &["event"]).await?;
        ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        open.sender.stop().await;
        Ok(())
    })
    .await
}

pub(crate) async fn t10_sink_a_failed_heartbeat_ends_the_driver_alone<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    for behaviour in [SinkBehaviour::Broken, SinkBehaviour::Refusing] {
        let start = bed.now();
        run(bed, bed.ticks(10), async |open| {
            open.until(start + bed.ticks(5), &[]).await?;
            open.sink.set(behaviour);
            open.until(start + bed.ticks(12), &[]).await?;
            let ended = ended("the driver", &open.driver)?;
            let failed = matches!(ended, Err(DriverError::Transport(_)));
            ensure!(failed, "the driver ended with {ended:?}");
            let counts = open.counters.snapshot();
            ensure!((counts.sent, counts.errors) == (0, 1), "{counts:?}");
            open.sink.set(SinkBehaviour::Open);
            let sent = open.sender.send("event").await;
            ensure!(sent.is_ok(), "{sent:?} from a sink that is open");
            open.until(start + bed.ticks(30), &["event"]).await.map(drop)
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn t12_sink_a_dead_producer_is_given_up_once_until_it_sends<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let config = Config::every(bed.ticks(10)).with_give_up_after(bed.ticks(25));
    run(bed, config, async |open| {
        let first = open.expect_heartbeat(Duration::ZERO).await?;
        open.expect_heartbeat(first).await?;
        open.expect_silence_until(45).await?;
        ensure!(open.counters.snapshot().gave_up == 1, "{:?}", open.counters.snapshot());
        let sent = open.send("event");
        let at = open.until(bed.ticks(47), &["event"]).await?;
        ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        open.expect_heartbeat(at).await?;
        ensure!(open.counters.snapshot().gave_up == 1, "{:?}", open.counters.snapshot());
        Ok(())
    })
    .await
}

pub(crate) async fn t16_sink_the_sleep_is_set_once_per_interval_at_most<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        let mut last = Duration::ZERO;
        for _ in 0..5 * bed.repetitions() {
            open.until(last + bed.ticks(1), &[]).await?;
            open.sink.set(SinkBehaviour::Full);
            let sent = open.send("event");
            last = open.until(last + bed.ticks(2), &["event"]).await?;
            sent.abort(); // so that the driver flushes it
            open.sink.set(SinkBehaviour::Open);
        }
        let resets = open.calls.resets();
        ensure!(resets <= bed.max_resets(), "{resets} resets in {:?}", bed.now());
        Ok(())
    })
    .await
}

pub(crate) async fn t16_sink_a_heartbeat_wakes_the_driver_once<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        let mut last = open.expect_heartbeat(Duration::ZERO).await?;
        let before = open.driver.polls();
        for _ in 0..bed.repetitions() {
            last = open.expect_heartbeat(last).await?;
        }
        let polls = open.driver.polls() - before;
        // One more, since an executor may poll a task without a wake-up.
        ensure!(
            polls <= bed.repetitions() as usize + 1,
            "{polls} wake-ups, {} heartbeats",
            bed.repetitions()
        );
        Ok(())
    })
    .await
}

pub(crate) async fn t10_sink_an_error_reaches_the_send_that_caused_it<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(2).await?;
        open.sink.set(SinkBehaviour::Full);
        let lost = open.send("lost");
        open.until(bed.ticks(4), &["lost"]).await?;
        let waits = open.send("event");
        bed.sleep_until(bed.ticks(6)).await?;
        open.sink.set(SinkBehaviour::Losing);
        bed.sleep_until(bed.ticks(8)).await?;
        let (lost, other) = (ended("the send", &lost)?, ended("the send", &waits)?);
        ensure!(lost.is_err(), "its item was lost, and it ended with {lost:?}");
        ensure!(other.is_ok(), "the send of another item ended with {other:?}");
        ensure!(open.driver.take().is_none(), "the driver met the error of a sender");
        let at = open.until(bed.ticks(9), &["event"]).await?;
        open.expect_heartbeat(at).await.map(drop)
    })
    .await
}

pub(crate) async fn t17_sink_no_heartbeat_inside_a_message<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(4).await?;
        let piece = open.send("piece");
        open.until(bed.ticks(6), &["piece"]).await?;
        ensure!(ended("the send", &piece)?.is_ok(), "a send failed");
        open.expect_silence_until(25).await?;
        let rest = open.send("event");
        let at = open.until(bed.ticks(27), &["event"]).await?;
        ensure!(ended("the send", &rest)?.is_ok(), "a send failed");
        open.expect_heartbeat(at).await.map(drop)
    })
    .await
}

pub(crate) async fn t17_sink_no_heartbeat_follows_an_error<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let config = Config::every(bed.ticks(10)).with_stall_after(bed.ticks(8));
    run(bed, config, async |open| {
        open.expect_silence_until(6).await?;
        open.sink.set(SinkBehaviour::Blocked);
        let error = open.send("error");
        open.expect_silence_until(14).await?; // a heartbeat falls due
        open.sink.set(SinkBehaviour::Open);
        open.until(bed.ticks(30), &["error"]).await?;
        ensure!(ended("the send", &error)?.is_ok(), "a send failed");
        let event = open.send("event");
        let at = open.until(bed.ticks(32), &["event"]).await?;
        ensure!(ended("the send", &event)?.is_ok(), "a send failed");
        open.expect_heartbeat(at).await?;
        let counts = open.counters.snapshot();
        ensure!((counts.cancelled, counts.sent) == (1, 1), "{counts:?}");
        Ok(())
    })
    .await
}

pub(crate) async fn t18_sink_a_poll_polls_the_sink_once<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let sink = bed.sink();
    let (sender, driver) =
        heartbeat_sink(sink.clone(), bed.timer().clone(), bed.ticks(10), TestHeartbeats::default());
    sink.set(SinkBehaviour::Yielding);
    let (mut send, mut run) = (Box::pin(sender.send("event")), Box::pin(driver));
    for round in 1..=3 {
        let polled = poll_fn(|cx| Poll::Ready(send.as_mut().poll(cx))).await;
        ensure!(polled.is_pending(), "{polled:?} from a sink that is not ready");
        ensure!(sink.polls() == round, "{} questions in {round} polls", sink.polls());
    }
    drop(send); // and the driver is next
    for round in 4..=6 {
        let polled = poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx))).await;
        ensure!(polled.is_pending(), "{polled:?} from a sink that is not ready");
        ensure!(sink.polls() == round, "{} questions in {round} polls", sink.polls());
    }
    Ok(())
}

pub(crate) async fn t18_sink_the_driver_goes_on_after_a_dropped_send<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(5).await?;
        open.sink.set(SinkBehaviour::Blocked);
        open.expect_silence_until(12).await?; // a heartbeat is due, and the driver waits for the sink
        let dropped = open.send("never"); // now the sink wakes this task
        open.expect_silence_until(14).await?;
        dropped.abort();
        open.expect_silence_until(16).await?;
        open.sink.set(SinkBehaviour::Open);
        open.until(bed.ticks(18), &["heartbeat"]).await.map(drop)
    })
    .await
}

pub(crate) async fn t18_sink_a_dropped_close_is_flushed_by_the_driver<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(2).await?;
        open.sink.set(SinkBehaviour::Full);
        let fed = open.sender.feed("fed").await;
        ensure!(fed.is_ok(), "{fed:?} from a sink that takes it");
        open.until(bed.ticks(4), &["fed"]).await?;
        let sender = open.sender.clone();
        let closes = open.executor.spawn(async move { sender.close().await });
        open.expect_silence_until(6).await?;
        closes.abort();
        open.expect_silence_until(8).await?;
        ensure!(open.driver.take().is_none(), "it ended before that was flushed");
        open.sink.set(SinkBehaviour::Open);
        open.expect_silence_until(10).await?;
        ended("the driver", &open.driver)?.map_err(wrong)?;
        ensure!(open.sink.is_flushed(), "what was fed was not flushed");
        Ok(())
    })
    .await
}

pub(crate) async fn t18_sink_a_dropped_send_leaves_an_item_whole_or_not_at_all<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(30), async |open| {
        open.expect_silence_until(2).await?;
        open.sink.set(SinkBehaviour::Blocked);
        let dropped = open.send("never");
        open.expect_silence_until(4).await?;
        let waits = open.send("event");
        open.expect_silence_until(6).await?;
        dropped.abort();
        open.expect_silence_until(8).await?;
        open.sink.set(SinkBehaviour::Full);
        open.until(bed.ticks(10), &["event"]).await?;
        waits.abort(); // the sink has it, and has not flushed it
        open.expect_silence_until(12).await?;
        open.sink.set(SinkBehaviour::Open);
        open.expect_silence_until(14).await?;
        if !open.sink.is_flushed() {
            return Err(Failed::TooLate(String::from("it was not flushed")));
        }
        Ok(())
    })
    .await
}

pub(crate) async fn t18_sink_senders_go_first_come_first_served<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(2).await?;
        open.sink.set(SinkBehaviour::Blocked);
        // The tasks are polled in the order opposite to that of their sends.
        let sent = [(5, "three"), (4, "two"), (3, "one")].map(|(at, item)| {
            let (sender, asks) = (open.sender.clone(), bed.sleep_until(bed.ticks(at)));
            open.executor.spawn(async move {
                asks.await?;
                sender.send(item).await.map_err(|error| Failed::Wrong(format!("{error}")))
            })
        });
        open.expect_silence_until(7).await?;
        open.sink.set(SinkBehaviour::Open);
        let came = open.until(bed.ticks(9), &["one", "two", "three"]).await;
        for sent in &sent {
            ended("a send", sent)??; // first: one that began too late has not sent
        }
        open.expect_heartbeat(came?).await.map(drop)
    })
    .await
}

pub(crate) async fn t18_sink_the_driver_ends_with_the_last_sender<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        let other = open.sender.clone();
        open.expect_silence_until(2).await?;
        drop(other);
        open.expect_silence_until(4).await?;
        ensure!(open.driver.take().is_none(), "it ended while there was a sender");
        let OpenSink { sender, driver, .. } = open;
        drop(sender);
        bed.sleep_until(bed.ticks(6)).await?;
        ended("the driver", &driver)?.map_err(wrong)
    })
    .await
}

pub(crate) async fn t18_sink_the_last_item_is_flushed<S: Subject>(bed: &TestBed<S>) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(2).await?;
        open.sink.set(SinkBehaviour::Full);
        let fed = open.sender.feed("fed").await;
        ensure!(fed.is_ok(), "{fed:?} from a sink that takes it");
        let OpenSink { sink, sender, driver, .. } = open;
        drop(sender);
        bed.sleep_until(bed.ticks(4)).await?;
        ensure!(driver.take().is_none(), "it ended before that was flushed");
        sink.set(SinkBehaviour::Open);
        bed.sleep_until(bed.ticks(6)).await?;
        ended("the driver", &driver)?.map_err(wrong)?;
        ensure!(sink.is_flushed(), "what was fed was not flushed");
        Ok(())
    })
    .await
}

pub(crate) async fn t18_sink_close_stops_the_heartbeats_first<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        let fed = open.sender.feed("fed").await;
        ensure!(fed.is_ok(), "{fed:?} from a sink that is open");
        open.until(bed.ticks(2), &["fed"]).await?;
        let closed = open.sender.close().await;
        ensure!(closed.is_ok() && open.sink.is_closed(), "{closed:?}, and it is open");
        open.expect_silence_until(15).await?;
        ended("the driver", &open.driver)?.map_err(wrong)
    })
    .await
}

pub(crate) async fn t18_sink_senders_work_without_a_driver<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(5).await?;
        open.sink.set(SinkBehaviour::Full);
        open.until(bed.ticks(13), &["heartbeat"]).await?; // and it is not flushed
        open.driver.abort();
        open.expect_silence_until(15).await?;
        let counts = open.counters.snapshot();
        ensure!((counts.sent, counts.errors) == (0, 1), "{counts:?}");
        ensure!(open.fixture.sleeps() == 0, "its sleep has outlived it");
        let sent = open.send("event");
        open.until(bed.ticks(17), &["event"]).await?;
        open.sink.set(SinkBehaviour::Open);
        open.expect_silence_until(40).await?;
        ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        ensure!(open.sink.is_flushed(), "it was not flushed");
        Ok(())
    })
    .await
}

pub(crate) async fn t19_sink_a_heartbeat_is_reported_when_it_is_flushed<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    run(bed, bed.ticks(10), async |open| {
        open.expect_silence_until(5).await?;
        open.sink.set(SinkBehaviour::Full);
        open.until(bed.ticks(13), &["heartbeat"]).await?;
        let counts = open.counters.snapshot();
        ensure!((counts.sent, counts.errors) == (0, 0), "{counts:?} before it is out");
        open.sink.set(SinkBehaviour::Open);
        open.expect_silence_until(16).await?;
        let counts = open.counters.snapshot();
        if counts.sent == 0 {
            return Err(Failed::TooLate(String::from("it was not flushed")));
        }
        ensure!((counts.sent, counts.errors, counts.bytes) == (1, 0, 9), "{counts:?}");
        let silence = counts.longest_idle + bed.granularity();
        ensure!(silence >= bed.ticks(10), "{counts:?} after a silence of 10 ticks");
        Ok(())
    })
    .await
}

pub(crate) async fn t20_sink_a_stalled_peer_is_reported_once<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    for behaviour in [SinkBehaviour::Blocked, SinkBehaviour::Full] {
        let start = bed.now();
        let config = Config::every(bed.ticks(10)).with_stall_after(bed.ticks(5));
        run(bed, config, async |open| {
            open.until(start + bed.ticks(5), &[]).await?;
            open.sink.set(behaviour);
            // A sink that does not flush takes one heartbeat; the next one stalls.
            let taken: &[_] = if behaviour == SinkBehaviour::Full { &["heartbeat"] } else { &[] };
            let due = if behaviour == SinkBehaviour::Full { 20 } else { 10 };
            open.until(start + bed.ticks(due + 1), taken).await?;
            ensure!(open.driver.take().is_none(), "it was reported too early");
            open.until(start + bed.ticks(due + 9), &[]).await?;
            let ended = ended("the driver", &open.driver)?;
            ensure!(ended == Err(DriverError::Stalled), "the driver ended with {ended:?}");
            let (counts, lost) = (open.counters.snapshot(), 1 + taken.len() as u64);
            ensure!((counts.stalled, counts.sent, counts.errors) == (1, 0, lost), "{counts:?}");
            let silence = counts.longest_idle + bed.granularity();
            ensure!(silence >= bed.ticks(15), "{counts:?} after a silence of 15 ticks");

            open.sink.set(SinkBehaviour::Open);
            let sent = open.sender.send("event").await;
            ensure!(sent.is_ok(), "{sent:?} from a sink that is open");
            open.until(start + bed.ticks(due + 25), &["event"]).await.map(drop)
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn t20_sink_a_stalled_peer_does_not_delay_the_end<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let config = Config::every(bed.ticks(30)).with_stall_after(bed.ticks(5));
    run(bed, config, async |open| {
        open.expect_silence_until(2).await?;
        open.sink.set(SinkBehaviour::Full);
        let fed = open.sender.feed("fed").await;
        ensure!(fed.is_ok(), "{fed:?} from a sink that takes it");
        let OpenSink { sender, driver, counters, .. } = open;
        drop(sender);
        bed.sleep_until(bed.ticks(5)).await?;
        ensure!(driver.take().is_none(), "it ended before that was flushed");
        bed.sleep_until(bed.ticks(11)).await?;
        let ended = ended("the driver", &driver)?;
        ensure!(ended == Err(DriverError::Stalled), "the driver ended with {ended:?}");
        ensure!(counters.snapshot().stalled == 1, "{:?}", counters.snapshot());
        Ok(())
    })
    .await
}

pub(crate) async fn t21_sink_other_heartbeats_end_the_silence_but_are_no_events<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    let config = Config::every(bed.ticks(10)).with_give_up_after(bed.ticks(25));
    run(bed, config, async |open| {
        for foreign in 1..=4 {
            open.expect_silence_until(6 * foreign).await?;
            let sent = open.sender.send("foreign").await;
            ensure!(sent.is_ok(), "{sent:?} from a sink that is open");
            open.sink.take();
        }
        open.expect_silence_until(40).await?;
        ensure!(open.counters.snapshot().gave_up == 1, "{:?}", open.counters.snapshot());
        Ok(())
    })
    .await
}

fn wrong(error: DriverError<SinkError>) -> Failed {
    Failed::Wrong(format!("the driver ended with {error:?}"))
}
