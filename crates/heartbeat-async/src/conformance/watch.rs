//! What is asked of a stream that watches its peer.
//!
//! Timeouts are ten ticks, unless the scenario is about something else.

use core::task::Poll;
use core::time::Duration;
use std::rc::Rc;
use std::string::String;

use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::source::Source;
use super::spy::{Calls, Spied};
use super::stage::{Consumer, Stage, Trouble, Verdict, Window, ensure};
use crate::flag_waker::FlagWaker;
use crate::{TimedOut, Timer, WatchdogStream};

/// Takes `beat` for a heartbeat, which it does not yield.
type Tested<T> = WatchdogStream<Source<&'static str>, Spied<T>, fn(&&'static str) -> bool>;

/// A watched stream under test, and all that can be seen of it.
struct Watching<'a, T: Timer> {
    stage: &'a Stage<T>,
    timeout: Duration,
    source: Source<&'static str>,
    calls: Rc<Calls>,
    consumer: Consumer<T, Tested<T>>,
}

impl<'a, T: Timer + Clone> Watching<'a, T> {
    fn open(stage: &'a Stage<T>, timeout: Duration) -> Self {
        let source = Source::new();
        let timer = Spied::new(stage.timer().clone());
        let calls = timer.calls();
        let from = stage.now();
        let stream = WatchdogStream::new(source.clone(), timer, timeout);
        let born = stage.window(from);
        let is_heartbeat: fn(&&'static str) -> bool = |item| *item == "beat";
        let consumer = Consumer::new(stage.clone(), stream.skip_heartbeats(is_heartbeat), born);
        Self { stage, timeout, source, calls, consumer }
    }

    /// Waits that many ticks after the consumer came back, and nothing must come.
    async fn silent_for(&mut self, ticks: u32) -> Verdict {
        let until = self.consumer.back().to + self.stage.ticks(ticks);
        self.consumer.silent_until(until).await
    }

    /// Takes a real item.
    async fn takes_real(&mut self) -> Verdict {
        self.source.push("real");
        self.consumer.takes(Ok("real")).await
    }

    /// Sees nothing of a heartbeat.
    async fn skips_beat(&mut self) -> Verdict {
        self.source.push("beat");
        let from = self.stage.now();
        self.consumer.finds_nothing().await?;
        self.consumer.was_back_at(self.stage.window(from));
        Ok(())
    }

    /// Waits for the error, which must come a timeout after the consumer came back: never earlier,
    /// later by what an alarm may be early or late.
    async fn times_out(&mut self) -> Verdict {
        let back = self.consumer.back();
        let latest = back.to + self.timeout + self.stage.timer().granularity() + self.stage.late();
        let error = Err(TimedOut { timeout: self.timeout });
        self.consumer.awaits_between(error, back.from + self.timeout, latest).await.map(drop)
    }

    fn reads_and_settings(&self) -> (usize, usize) {
        (self.calls.reads(), self.calls.settings())
    }
}

pub(super) async fn t1_watch_a_timeout_of_zero_passes_through_without_clock_or_alarm<T>(
    stage: &Stage<T>,
) -> Verdict
where
    T: Timer + Clone,
{
    let mut watching = Watching::open(stage, Duration::ZERO);
    let born = watching.reads_and_settings();
    for _ in 0..2 {
        watching.silent_for(15).await?;
        watching.takes_real().await?;
    }
    let now = watching.reads_and_settings();
    ensure!(now == born, "reads and settings went from {born:?} to {now:?}");
    Ok(())
}

pub(super) async fn t7_watch_a_clock_that_runs_back_moves_no_deadline_back<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut watching = Watching::open(stage, stage.ticks(10));
    watching.consumer.silent_until(stage.ticks(7)).await?;
    let seen = stage.now();
    watching.consumer.finds_nothing_before(stage.ticks(9)).await?;
    watching.calls.set_clock_back(stage.ticks(5));
    watching.takes_real().await?;
    watching.calls.set_clock_back(Duration::ZERO);
    watching.consumer.was_back_at(Window { from: seen, to: stage.now() });
    watching.times_out().await
}

pub(super) async fn t8_watch_a_timeout_past_the_end_of_time_never_comes<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut watching = Watching::open(stage, Duration::MAX);
    watching.silent_for(15).await?;
    watching.takes_real().await?;
    watching.silent_for(15).await?;
    ensure!(watching.calls.settings() == 0, "an alarm was set for what never comes");
    Ok(())
}

pub(super) async fn t14_watch_a_silent_peer_is_told_of_once_and_never_early<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    for asked_shortly_before in [false, true] {
        let mut watching = Watching::open(stage, stage.ticks(10));
        if asked_shortly_before {
            watching.silent_for(9).await?;
        }
        watching.times_out().await?;
        watching.source.push("real"); // too late
        for _ in 0..2 {
            let polled = watching.consumer.poll_once().await;
            ensure!(polled == Poll::Ready(None), "{polled:?} after the error");
        }
        ensure!(watching.calls.alarms() == 0, "an alarm is left");
        let stream = watching.consumer.stream();
        ensure!(stream.is_terminated(), "it does not say that it has ended");
        ensure!(stream.size_hint() == (0, Some(0)), "{:?} after the end", stream.size_hint());
    }
    Ok(())
}

pub(super) async fn t14_watch_each_item_restarts_the_timeout<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut watching = Watching::open(stage, stage.ticks(10));
    for round in 0..3 * stage.rounds() {
        watching.silent_for([7, 3, 8][round as usize % 3]).await?;
        watching.takes_real().await?;
    }
    watching.times_out().await
}

pub(super) async fn t14_watch_a_heartbeat_that_is_skipped_restarts_the_timeout<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut watching = Watching::open(stage, stage.ticks(10));
    for _ in 0..stage.rounds() {
        watching.silent_for(7).await?;
        watching.skips_beat().await?;
    }
    for item in ["beat", "beat", "real", "beat"] {
        watching.source.push(item);
    }
    watching.consumer.takes(Ok("real")).await?;
    watching.times_out().await
}

pub(super) async fn t14_watch_who_was_away_gets_what_came_meanwhile<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut watching = Watching::open(stage, stage.ticks(10));
    watching.consumer.silent_until(stage.ticks(2)).await?;
    stage.sleep_until(stage.ticks(25)).await?;
    watching.takes_real().await?;
    watching.source.push("real");
    let taken = watching.consumer.poll_once().await;
    ensure!(taken == Poll::Ready(Some(Ok("real"))), "{taken:?} where an item was ready");
    stage.sleep_until(stage.ticks(50)).await?; // busy with the item
    watching.consumer.finds_nothing().await?;
    watching.times_out().await
}

pub(super) async fn t14_watch_the_end_is_no_silence<T: Timer + Clone>(stage: &Stage<T>) -> Verdict {
    let mut watching = Watching::open(stage, stage.ticks(10));
    watching.consumer.silent_until(stage.ticks(5)).await?;
    stage.sleep_until(stage.ticks(12)).await?; // too long a silence
    watching.source.end();
    for _ in 0..2 {
        let polled = watching.consumer.poll_once().await;
        ensure!(polled == Poll::Ready(None), "{polled:?} at the end");
    }
    ensure!(watching.source.ends_told() == 1, "the inner stream was polled after its end");
    ensure!(watching.calls.alarms() == 0, "an alarm is left");
    Ok(())
}

pub(super) async fn t16_watch_a_burst_reads_no_clock_and_sets_no_alarm<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut watching = Watching::open(stage, stage.ticks(10));
    watching.consumer.silent_until(stage.ticks(2)).await?;
    for _ in 0..1000 {
        watching.source.push("real");
    }
    let before = watching.reads_and_settings();
    for _ in 0..1000 {
        let taken = watching.consumer.poll_once().await;
        ensure!(taken == Poll::Ready(Some(Ok("real"))), "{taken:?} amid a burst");
    }
    let after = watching.reads_and_settings();
    ensure!(after == before, "reads and settings went from {before:?} to {after:?}");
    watching.consumer.finds_nothing().await?;
    stage.not_after(stage.ticks(8))?;
    let end = watching.reads_and_settings();
    ensure!(end == (before.0 + 1, before.1), "reads and settings went from {before:?} to {end:?}");
    Ok(())
}

pub(super) async fn t16_watch_the_alarm_is_moved_once_per_timeout_at_most<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut watching = Watching::open(stage, stage.ticks(10));
    for _ in 0..5 * stage.rounds() {
        watching.silent_for(2).await?;
        watching.takes_real().await?;
    }
    let settings = watching.calls.settings();
    ensure!(settings <= stage.settings(), "{settings} settings in {:?}", stage.now());
    Ok(())
}

pub(super) async fn t16_watch_whoever_polled_last_is_woken<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut watching = Watching::open(stage, stage.ticks(10));
    watching.consumer.silent_until(stage.ticks(4)).await?; // by this task
    watching.source.push("real");
    let (woken, waker) = FlagWaker::new();
    watching.consumer.takes_by(&waker, Ok("real"))?;
    let latest = watching.consumer.back().to + stage.ticks(10) + stage.timer().granularity();
    woken.take();
    stage.sleep_until(latest + stage.late() + stage.ticks(1)).await?;
    if !woken.take() {
        return Err(Trouble::Late(String::from("who polled last was not woken")));
    }
    let polled = watching.consumer.poll_once().await;
    let error = Err(TimedOut { timeout: watching.timeout });
    ensure!(polled == Poll::Ready(Some(error)), "{polled:?} after the timeout");
    Ok(())
}

pub(super) async fn t16_watch_an_alarm_that_is_too_early_does_not_spin<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut watching = Watching::open(stage, stage.ticks(10));
    watching.calls.hurry_alarms(stage.ticks(4));
    watching.consumer.finds_nothing_before(stage.ticks(2)).await?;
    stage.sleep_until(stage.ticks(8)).await?;
    watching.consumer.does_not_spin_before(stage.ticks(9), &watching.calls)?;
    watching.calls.hurry_alarms(Duration::ZERO);
    watching.times_out().await
}
