//! What is asked of a stream with heartbeats.
//!
//! Intervals are ten ticks, unless the scenario is about something else.

use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::format;
use std::string::String;
use std::vec::Vec;

use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::beats::Beats;
use super::source::Source;
use super::stage::{Consumer, Opened, Stage, Trouble, Verdict, Window, ensure};
use crate::flag_waker::FlagWaker;
use crate::{Config, HeartbeatStream, Jitter, MakeOk, Timer};

pub(super) async fn t1_an_interval_of_zero_passes_through_without_clock_or_alarm<T>(
    stage: &Stage<T>,
) -> Verdict
where
    T: Timer + Clone,
{
    let config = Config::every(Duration::ZERO).with_immediate_first(true);
    let mut opened = stage.open(config.with_give_up_after(stage.ticks(5)), Beats::default());
    let born = opened.calls.reads();
    for round in 1..=2 {
        opened.consumer.silent_until(stage.ticks(15 * round)).await?;
        opened.source.push("real");
        opened.consumer.takes("real").await?;
    }
    let (reads, settings) = (opened.calls.reads() - born, opened.calls.settings());
    ensure!(reads == 0, "the clock was read {reads} times");
    ensure!(settings == 0, "an alarm was set {settings} times");
    ensure!(opened.heard.snapshot().gave_up == 0, "it gave up");
    Ok(())
}

pub(super) async fn t2_the_first_beat_comes_a_gap_after_birth<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    stage.sleep_until(stage.ticks(6)).await?; // and nobody has polled
    opened.consumer.beats("beat", stage.ticks(10)).await
}

pub(super) async fn t2_a_prompt_beat_comes_at_once<T: Timer + Clone>(stage: &Stage<T>) -> Verdict {
    let config = Config::every(stage.ticks(10)).with_immediate_first(true);
    let mut opened = stage.open(config, Beats::default());
    opened.consumer.takes("beat").await?;
    opened.consumer.beats("beat", stage.ticks(10)).await
}

pub(super) async fn t3_t16_a_send_moves_the_deadline<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    for _ in 0..stage.rounds() {
        for pause in [6, 3] {
            let until = opened.consumer.back().to + stage.ticks(pause);
            opened.consumer.silent_until(until).await?;
            opened.source.push("real");
            opened.consumer.takes("real").await?;
        }
        opened.consumer.beats("beat", stage.ticks(10)).await?;
    }
    Ok(())
}

pub(super) async fn t4_a_beat_is_never_early_and_never_missing<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    for _ in 0..stage.rounds() {
        let until = opened.consumer.back().to + stage.ticks(8);
        opened.consumer.silent_until(until).await?; // so that it is asked shortly before, too
        opened.consumer.beats("beat", stage.ticks(10)).await?;
    }
    Ok(())
}

pub(super) async fn t5_t17_who_was_away_gets_one_beat<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    opened.consumer.silent_until(stage.ticks(2)).await?;
    stage.sleep_until(stage.ticks(45)).await?;
    opened.consumer.takes("beat").await?;
    opened.consumer.beats("beat", stage.ticks(10)).await
}

pub(super) async fn t6_t17_a_ready_item_goes_first_and_takes_the_place_of_a_beat<T>(
    stage: &Stage<T>,
) -> Verdict
where
    T: Timer + Clone,
{
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    opened.consumer.silent_until(stage.ticks(2)).await?;
    stage.sleep_until(stage.ticks(12)).await?;
    opened.source.push("real");
    opened.consumer.takes("real").await?;
    opened.consumer.beats("beat", stage.ticks(10)).await
}

pub(super) async fn t7_a_clock_that_runs_back_moves_no_deadline_back<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    opened.consumer.silent_until(stage.ticks(7)).await?;
    let seen = stage.now();
    opened.consumer.finds_nothing_before(stage.ticks(9)).await?;
    opened.calls.set_clock_back(stage.ticks(5));
    opened.source.push("real");
    opened.consumer.takes("real").await?;
    opened.calls.set_clock_back(Duration::ZERO);
    opened.consumer.was_back_at(Window { from: seen, to: stage.now() });
    opened.consumer.beats("beat", stage.ticks(10)).await
}

pub(super) async fn t8_an_interval_past_the_end_of_time_never_beats<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(Duration::MAX, Beats::default());
    opened.consumer.silent_until(stage.ticks(5)).await?;
    opened.source.push("real");
    opened.consumer.takes("real").await?;
    opened.consumer.silent_until(stage.ticks(20)).await?;
    ensure!(opened.calls.settings() == 0, "an alarm was set for it");
    Ok(())
}

pub(super) async fn t9_nothing_beats_after_stop<T: Timer + Clone>(stage: &Stage<T>) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    opened.consumer.silent_until(stage.ticks(5)).await?;
    for _ in 0..2 {
        opened.consumer.stream().stop();
        ensure!(opened.held.alarms() == 0, "its alarm is still set");
    }
    opened.consumer.silent_until(stage.ticks(20)).await?;
    opened.source.push("real");
    opened.consumer.takes("real").await?;
    opened.consumer.silent_until(stage.ticks(35)).await
}

pub(super) async fn t10_t19_a_beat_that_nobody_came_back_from_is_an_error_once<T>(
    stage: &Stage<T>,
) -> Verdict
where
    T: Timer + Clone,
{
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    opened.consumer.beats("beat", stage.ticks(10)).await?;
    opened.consumer.awaits("beat", stage.ticks(10)).await?;
    drop(opened.consumer);
    let counts = opened.heard.snapshot();
    ensure!(
        (counts.sent, counts.errors) == (1, 1),
        "{counts:?}, where one went out and one did not"
    );
    ensure!(opened.held.alarms() == 0, "its alarm has outlived it");
    Ok(())
}

pub(super) async fn t11_jitter_pulls_earlier_only<T: Timer + Clone>(stage: &Stage<T>) -> Verdict {
    let half = jitter(0.5)?;
    let config = Config::every(stage.ticks(10)).with_jitter(half).with_seed(7);
    let mut opened = stage.open(config, Beats::default());
    let mut gaps = Vec::new();
    for _ in 0..3 * stage.rounds() {
        let back = opened.consumer.back().to;
        let seen = opened.consumer.awaits_within("beat", stage.ticks(5), stage.ticks(10)).await?;
        gaps.push(seen.from.saturating_sub(back));
        opened.consumer.finds_nothing().await?;
    }
    ensure_spread(stage, &gaps)
}

pub(super) async fn t11_streams_opened_together_drift_apart<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let config = Config::every(stage.ticks(10)).with_jitter(jitter(0.9)?);
    let mut gaps = Vec::new();
    for _ in 0..8 {
        let mut opened = stage.open(config, Beats::default());
        let born = opened.consumer.back().to;
        let seen = opened.consumer.awaits_within("beat", stage.ticks(1), stage.ticks(10)).await?;
        gaps.push(seen.from.saturating_sub(born));
    }
    ensure_spread(stage, &gaps)
}

fn jitter(fraction: f32) -> Verdict<Jitter> {
    Jitter::try_from(fraction).map_err(|error| Trouble::Wrong(format!("{error}")))
}

fn ensure_spread<T: Timer + Clone>(stage: &Stage<T>, gaps: &[Duration]) -> Verdict {
    let (shortest, longest) = (gaps.iter().min(), gaps.iter().max());
    let spread = longest.zip(shortest).map(|(longest, shortest)| longest.saturating_sub(*shortest));
    ensure!(spread > Some(stage.ticks(1)), "all gaps are much the same: {gaps:?}");
    Ok(())
}

pub(super) async fn t12_a_dead_producer_is_given_up_once_until_it_sends_again<T>(
    stage: &Stage<T>,
) -> Verdict
where
    T: Timer + Clone,
{
    let config = Config::every(stage.ticks(10)).with_give_up_after(stage.ticks(25));
    let mut opened = stage.open(config, Beats::default());
    opened.consumer.beats("beat", stage.ticks(10)).await?;
    opened.consumer.beats("beat", stage.ticks(10)).await?;
    stage.not_after(stage.ticks(24))?; // where another beat would come before giving up
    opened.consumer.silent_until(stage.ticks(45)).await?;
    opened.consumer.finds_nothing().await?;
    ensure!(opened.heard.snapshot().gave_up == 1, "{:?}", opened.heard.snapshot());

    opened.source.push("real");
    opened.consumer.takes("real").await?;
    opened.consumer.beats("beat", stage.ticks(10)).await?;
    ensure!(opened.heard.snapshot().gave_up == 1, "{:?}", opened.heard.snapshot());
    Ok(())
}

pub(super) async fn t12_t21_foreign_beats_break_the_silence_but_show_no_life<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let config = Config::every(stage.ticks(10)).with_give_up_after(stage.ticks(25));
    let mut opened = stage.open(config, Beats::default());
    for foreign in 1..=4 {
        opened.consumer.silent_until(stage.ticks(6 * foreign)).await?;
        opened.source.push("foreign");
        opened.consumer.takes("foreign").await?;
    }
    opened.consumer.silent_until(stage.ticks(40)).await?;
    ensure!(opened.heard.snapshot().gave_up == 1, "{:?}", opened.heard.snapshot());
    Ok(())
}

pub(super) async fn t16_a_burst_reads_no_clock_and_sets_no_alarm<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    opened.consumer.silent_until(stage.ticks(2)).await?;
    for _ in 0..1000 {
        opened.source.push("real");
    }
    let before = (opened.calls.reads(), opened.calls.settings());
    for _ in 0..1000 {
        let taken = opened.consumer.poll_once().await;
        ensure!(taken == Poll::Ready(Some("real")), "{taken:?} amid a burst");
    }
    let after = (opened.calls.reads(), opened.calls.settings());
    ensure!(after == before, "reads and settings went from {before:?} to {after:?}");
    opened.consumer.finds_nothing().await?;
    stage.not_after(stage.ticks(8))?;
    let end = (opened.calls.reads(), opened.calls.settings());
    ensure!(end == (before.0 + 1, before.1), "reads and settings went from {before:?} to {end:?}");
    Ok(())
}

pub(super) async fn t16_the_alarm_is_moved_once_per_gap_at_most<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    for _ in 0..5 * stage.rounds() {
        let until = opened.consumer.back().to + stage.ticks(2);
        opened.consumer.silent_until(until).await?;
        opened.source.push("real");
        opened.consumer.takes("real").await?;
    }
    let settings = opened.calls.settings();
    ensure!(settings <= stage.settings(), "{settings} settings in {:?}", stage.now());
    Ok(())
}

pub(super) async fn t16_whoever_polled_last_is_woken<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    opened.consumer.silent_until(stage.ticks(4)).await?; // by this task
    let (woken, waker) = FlagWaker::new();
    takes_and_is_woken(stage, &mut opened, &woken, &waker).await
}

pub(super) async fn t16_whoever_polls_between_is_forgotten<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    let ((woken, waker), (_, between)) = (FlagWaker::new(), FlagWaker::new());
    for waker in [&waker, &between] {
        let polled = opened.consumer.poll(&mut Context::from_waker(waker));
        ensure!(polled.is_pending(), "{polled:?} where nothing was ready");
    }
    takes_and_is_woken(stage, &mut opened, &woken, &waker).await
}

pub(super) async fn t16_an_item_taken_as_the_alarm_goes_off_is_followed_by_a_beat<T>(
    stage: &Stage<T>,
) -> Verdict
where
    T: Timer + Clone,
{
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    let (woken, waker) = FlagWaker::new();
    let polled = opened.consumer.poll(&mut Context::from_waker(&waker));
    ensure!(polled.is_pending(), "{polled:?} where nothing was ready");
    let due = opened.consumer.back().to + stage.ticks(10);
    stage.timer().sleep_until(stage.instant(due)).await; // goes off together with that of the stream
    stage.not_after(due + stage.late())?;
    takes_and_is_woken(stage, &mut opened, &woken, &waker).await
}

/// Takes an item, and is woken in time for the next beat without having asked for it meanwhile.
async fn takes_and_is_woken<T: Timer + Clone>(
    stage: &Stage<T>,
    opened: &mut Opened<T, &'static str, Beats>,
    woken: &FlagWaker,
    waker: &Waker,
) -> Verdict {
    opened.source.push("real");
    opened.consumer.takes_by(waker, "real")?;
    let due = opened.consumer.back().to + stage.ticks(10);
    woken.take();
    stage.sleep_until(due + stage.late() + stage.ticks(1)).await?;
    if !woken.take() {
        return Err(Trouble::Late(String::from("who polled last was not woken")));
    }
    opened.consumer.takes("beat").await
}

pub(super) async fn t16_an_alarm_that_is_too_early_does_not_spin<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    opened.calls.hurry_alarms(stage.ticks(4));
    opened.consumer.finds_nothing_before(stage.ticks(2)).await?;
    stage.sleep_until(stage.ticks(7)).await?;
    opened.consumer.does_not_spin_before(stage.ticks(9), &opened.calls)?;
    opened.calls.hurry_alarms(Duration::ZERO);
    opened.consumer.beats("beat", stage.ticks(10)).await
}

pub(super) async fn t17_the_end_is_the_end<T: Timer + Clone>(stage: &Stage<T>) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    opened.consumer.silent_until(stage.ticks(5)).await?;
    stage.sleep_until(stage.ticks(12)).await?; // a beat is due
    opened.source.end();
    let hint = opened.consumer.stream().size_hint();
    ensure!(hint == (0, None), "{hint:?}, where beats may come");
    for _ in 0..2 {
        let polled = opened.consumer.poll_once().await;
        ensure!(polled == Poll::Ready(None), "{polled:?} at the end");
    }
    ensure!(opened.source.ends_told() == 1, "the inner stream was polled after its end");
    ensure!(opened.held.alarms() == 0, "an alarm is left");
    let stream = opened.consumer.stream();
    ensure!(stream.is_terminated(), "it does not say that it has ended");
    ensure!(stream.size_hint() == (0, Some(0)), "{:?} after the end", stream.size_hint());
    Ok(())
}

pub(super) async fn t17_no_beat_follows_an_error_until_something_else_does<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), MakeOk::new(Beats::default()));
    opened.consumer.silent_until(stage.ticks(4)).await?;
    opened.source.push(Err("broken"));
    opened.consumer.takes(Err("broken")).await?;
    opened.consumer.silent_until(stage.ticks(25)).await?;
    opened.source.push(Ok("real"));
    opened.consumer.takes(Ok("real")).await?;
    opened.consumer.beats(Ok("beat"), stage.ticks(10)).await
}

pub(super) async fn t17_no_beat_stands_within_a_message<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    for round in 0..stage.rounds() {
        let began = opened.consumer.back().to;
        opened.consumer.silent_until(began + stage.ticks(4)).await?;
        opened.source.push("piece");
        opened.consumer.takes("piece").await?;
        opened.consumer.silent_until(began + stage.ticks(25)).await?;
        let rest = if round % 2 == 0 { "foreign" } else { "real" };
        opened.source.push(rest);
        opened.consumer.takes(rest).await?;
        opened.consumer.beats("beat", stage.ticks(10)).await?;
    }
    Ok(())
}

pub(super) async fn t17_items_pass_once_and_in_order<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), || None);
    let (mut pushed, mut beats) = (0, 0);
    for round in 0..5 * stage.rounds() {
        // In silence, at once, after a beat, and while the consumer is away with one.
        let pause = [4, 0, 14, 10][round as usize % 4];
        if pause == 10 {
            opened.consumer.awaits(None, stage.ticks(pause)).await?;
            beats += 1;
        } else {
            let until = opened.consumer.back().to + stage.ticks(pause);
            beats += opened.consumer.counts_until(until, &None).await?;
        }
        let batch = 1 + round % 3;
        for item in pushed..pushed + batch {
            opened.source.push(Some(item));
        }
        for item in pushed..pushed + batch {
            let taken = opened.consumer.poll_once().await;
            ensure!(taken == Poll::Ready(Some(Some(item))), "{taken:?} in place of {item}");
        }
        opened.consumer.finds_nothing().await?;
        pushed += batch;
    }
    let sent = opened.heard.snapshot().sent;
    ensure!(beats > 0 && sent == beats, "{beats} beats came, and {sent} were told");
    Ok(())
}

pub(super) async fn t19_what_becomes_of_beats_is_told<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut opened = stage.open(stage.ticks(10), Beats::default());
    let born = opened.consumer.back();
    stage.sleep_until(born.to + stage.ticks(13)).await?;
    let from = stage.now();
    let polled = opened.consumer.poll_once().await;
    let asked = stage.window(from);
    ensure!(polled == Poll::Ready(Some("beat")), "{polled:?} where a beat was due");
    let counts = opened.heard.snapshot();
    ensure!(counts.sent == 0, "it was told before the consumer came back");

    opened.consumer.finds_nothing().await?;
    let back = opened.consumer.back();
    let counts = opened.heard.snapshot();
    ensure!((counts.sent, counts.errors) == (1, 0), "{counts:?} after one beat");
    ensure!(counts.bytes == 4, "{} bytes, and not 4", counts.bytes);
    let late = counts.max_delay;
    ensure!(asked.since(born).contains(late + stage.ticks(10)), "{late:?} late");
    let silence = counts.longest_idle;
    ensure!(back.since(born).contains(silence), "a silence of {silence:?}");
    let others = (counts.cancelled, counts.gave_up, counts.stalled);
    ensure!(others == (0, 0, 0), "{counts:?}");

    stage.sleep_until(back.to + stage.ticks(30)).await?; // longer than any before
    opened.source.end();
    let from = stage.now();
    let polled = opened.consumer.poll_once().await;
    ensure!(polled == Poll::Ready(None), "{polled:?} at the end");
    let (ended, silence) = (stage.window(from), opened.heard.snapshot().longest_idle);
    ensure!(ended.since(back).contains(silence), "a silence of {silence:?} until the end");
    Ok(())
}

pub(super) async fn t21_two_wrappers_beat_no_more_than_one<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let from = stage.now();
    let source = Source::new();
    let gap = stage.ticks(10);
    let inner = HeartbeatStream::new(source.clone(), stage.scheduler().0, gap, || "foreign");
    let outer = HeartbeatStream::new(inner, stage.scheduler().0, gap, Beats::default());
    let born = Window { from, to: stage.now() };
    let mut consumer = Consumer::new(stage.clone(), outer, born);
    for _ in 0..stage.rounds() {
        consumer.beats("foreign", gap).await?;
    }
    source.push("real");
    consumer.takes("real").await
}
