//! What is asked of a sink with heartbeats: the sender and the driver.
//!
//! Intervals are ten ticks, unless the scenario is about something else.

use core::future::{Future, poll_fn};
use core::task::Poll;
use core::time::Duration;
use std::boxed::Box;
use std::format;
use std::rc::Rc;
use std::string::String;

use super::beats::Beats;
use super::paced::Paced;
use super::spy::{Calls, Spied};
use super::stage::{Held, Stage, Trouble, Verdict, ensure};
use super::tasks::{Handle, Tasks};
use super::wire::{Mood, Wire, WireError};
use crate::{Config, Counters, DriverError, Sender, Timer, heartbeat_sink};

/// A sink under test, with its driver running, and all that can be seen of it.
struct Pushed<'a, T: Timer> {
    stage: &'a Stage<T>,
    tasks: Tasks<'a>,
    wire: Wire<T, &'static str>,
    sender: Sender<&'static str, Wire<T, &'static str>, Beats, Paced<Spied<T>>>,
    driver: Handle<Result<(), DriverError<WireError>>>,
    calls: Rc<Calls>,
    held: Held<T>,
    heard: Rc<Counters>,
}

impl<'a, T: Timer + Clone + 'a> Pushed<'a, T> {
    fn open(stage: &'a Stage<T>, tasks: &Tasks<'a>, config: impl Into<Config>) -> Self {
        let (wire, heard) = (Wire::new(stage.clone()), Rc::new(Counters::new()));
        let (scheduler, held) = stage.scheduler();
        let (sender, driver) = heartbeat_sink(wire.clone(), scheduler, config, Beats::default());
        let driver = tasks.spawn(driver.with_observer(Rc::clone(&heard)));
        let (tasks, calls) = (tasks.clone(), held.calls());
        Self { stage, tasks, wire, sender, driver, calls, held, heard }
    }

    /// Starts to send an item.
    fn send(&self, item: &'static str) -> Handle<Result<(), WireError>> {
        let sender = self.sender.clone();
        self.tasks.spawn(async move { sender.send(item).await })
    }

    /// Waits until `at`. By then just these items must have been handed over since this was last
    /// asked; tells when the last of them was.
    async fn until(&self, at: Duration, items: &[&str]) -> Verdict<Duration> {
        self.stage.sleep_until(at).await?;
        let mut came = self.wire.take();
        let expected = |came: &[(&str, _)]| came.iter().map(|came| &came.0).eq(items);
        if expected(&came) {
            return Ok(came.last().map_or(at, |last| last.1));
        }
        self.stage.sleep_until(at + self.stage.ticks(1)).await?;
        came.append(&mut self.wire.take());
        let what = format!("{came:?} by {at:?} in place of {items:?}");
        Err(if expected(&came) { Trouble::Late(what) } else { Trouble::Wrong(what) })
    }

    /// Waits for a beat, which must come a gap of ten ticks after `since`, and nothing before it.
    async fn beats(&self, since: Duration) -> Verdict<Duration> {
        let at = self.until(since + self.stage.ticks(12), &["beat"]).await?;
        self.stage.in_time(at, since, self.stage.ticks(10))?;
        Ok(at)
    }

    /// Waits until `at`, without anything being handed over.
    async fn silent_until(&self, at: u32) -> Verdict {
        self.until(self.stage.ticks(at), &[]).await.map(drop)
    }
}

/// Plays a scenario with a sink that it has to itself, and the sink's driver beside it.
async fn play<'a, T: Timer + Clone + 'a>(
    stage: &'a Stage<T>,
    config: impl Into<Config>,
    scenario: impl AsyncFnOnce(Pushed<'a, T>) -> Verdict,
) -> Verdict {
    let tasks = Tasks::default();
    let pushed = Pushed::open(stage, &tasks, config);
    tasks.beside(scenario(pushed)).await
}

/// What a task ended with, which must have ended.
fn ended<R>(what: &str, handle: &Handle<R>) -> Verdict<R> {
    handle.take().ok_or_else(|| Trouble::Late(format!("{what} has not ended")))
}

pub(super) async fn t1_push_an_interval_of_zero_costs_nothing<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let config = Config::every(Duration::ZERO).with_prompt(true).with_stall_after(stage.ticks(3));
    play(stage, config, async |pushed| {
        pushed.silent_until(15).await?;
        let before = (pushed.calls.reads(), pushed.calls.settings());
        for _ in 0..3 {
            let sent = pushed.sender.send("real").await;
            ensure!(sent.is_ok(), "{sent:?} from a sink that is open");
        }
        let after = (pushed.calls.reads(), pushed.calls.settings());
        ensure!(after == before, "reads and settings went from {before:?} to {after:?}");
        let woken = pushed.driver.polls();
        pushed.until(stage.ticks(30), &["real", "real", "real"]).await?;
        let after = (pushed.calls.reads(), pushed.calls.settings());
        ensure!(after == before, "reads and settings went from {before:?} to {after:?}");
        ensure!(pushed.calls.settings() == 0, "an alarm was set");
        ensure!(pushed.driver.polls() == woken, "its driver was woken by a send");
        Ok(())
    })
    .await
}

pub(super) async fn t2_push_a_prompt_beat_comes_at_once<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let config = Config::every(stage.ticks(10)).with_prompt(true);
    play(stage, config, async |pushed| {
        let at = pushed.until(stage.ticks(2), &["beat"]).await?;
        stage.in_time(at, Duration::ZERO, Duration::ZERO)?;
        pushed.beats(at).await.map(drop)
    })
    .await
}

pub(super) async fn t3_push_a_send_moves_the_deadline<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        let mut last = Duration::ZERO;
        for _ in 0..stage.rounds() {
            last = pushed.beats(last).await?;
            pushed.until(last + stage.ticks(6), &[]).await?;
            let sent = pushed.send("real");
            last = pushed.until(last + stage.ticks(8), &["real"]).await?;
            ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        }
        Ok(())
    })
    .await
}

pub(super) async fn t3_push_a_send_that_failed_moves_nothing<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(5).await?;
        for mood in [Mood::Broken, Mood::Refusing] {
            pushed.wire.set(mood);
            let sent = pushed.sender.send("real").await;
            ensure!(sent.is_err(), "it went through a sink that is broken");
        }
        pushed.wire.set(Mood::Open);
        pushed.beats(Duration::ZERO).await.map(drop)
    })
    .await
}

pub(super) async fn t5_push_after_a_long_block_one_beat_is_owed<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(5).await?;
        pushed.wire.set(Mood::Blocked);
        pushed.silent_until(45).await?;
        pushed.wire.set(Mood::Open);
        let at = pushed.until(stage.ticks(47), &["beat"]).await?;
        pushed.beats(at).await?;
        let late = pushed.heard.snapshot().max_delay;
        ensure!(late >= stage.ticks(34), "it tells of {late:?} after 35 ticks");
        Ok(())
    })
    .await
}

pub(super) async fn t6_push_a_real_item_that_waited_is_followed_by_no_beat<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(6).await?;
        pushed.wire.set(Mood::Blocked);
        let sent = pushed.send("real");
        pushed.silent_until(14).await?; // a beat fell due meanwhile
        pushed.wire.set(Mood::Open);
        let at = pushed.until(stage.ticks(16), &["real"]).await?;
        ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        pushed.beats(at).await?;
        let counts = pushed.heard.snapshot();
        ensure!((counts.cancelled, counts.sent) == (1, 1), "{counts:?}");
        Ok(())
    })
    .await
}

pub(super) async fn t6_push_a_real_item_slow_to_leave_is_followed_by_no_beat<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(4).await?;
        pushed.wire.set(Mood::Full);
        let sent = pushed.send("real");
        pushed.until(stage.ticks(17), &["real"]).await?; // a beat fell due meanwhile
        let out = stage.now();
        pushed.wire.set(Mood::Open);
        pushed.beats(out).await?;
        ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        let counts = pushed.heard.snapshot();
        ensure!((counts.cancelled, counts.sent) == (1, 1), "{counts:?}");
        Ok(())
    })
    .await
}

pub(super) async fn t9_push_no_beat_follows_a_stop_that_has_returned<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(5).await?;
        pushed.wire.set(Mood::Blocked);
        pushed.silent_until(12).await?; // a beat is owed
        let sent = pushed.send("real");
        pushed.silent_until(13).await?;
        let sender = pushed.sender.clone();
        let stopped = pushed.tasks.spawn(async move { sender.stop().await });
        pushed.silent_until(15).await?;
        ended("the stop", &stopped)?;
        ended("the driver", &pushed.driver)?.map_err(wrong)?;
        pushed.wire.set(Mood::Open);
        pushed.until(stage.ticks(30), &["real"]).await?;
        ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        pushed.sender.stop().await;
        Ok(())
    })
    .await
}

pub(super) async fn t10_push_a_beat_that_fails_ends_the_driver_alone<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    for mood in [Mood::Broken, Mood::Refusing] {
        let start = stage.now();
        play(stage, stage.ticks(10), async |pushed| {
            pushed.until(start + stage.ticks(5), &[]).await?;
            pushed.wire.set(mood);
            pushed.until(start + stage.ticks(12), &[]).await?;
            let ended = ended("the driver", &pushed.driver)?;
            let failed = matches!(ended, Err(DriverError::Transport(_)));
            ensure!(failed, "the driver ended with {ended:?}");
            let counts = pushed.heard.snapshot();
            ensure!((counts.sent, counts.errors) == (0, 1), "{counts:?}");
            pushed.wire.set(Mood::Open);
            let sent = pushed.sender.send("real").await;
            ensure!(sent.is_ok(), "{sent:?} from a sink that is open");
            pushed.until(start + stage.ticks(30), &["real"]).await.map(drop)
        })
        .await?;
    }
    Ok(())
}

pub(super) async fn t12_push_a_dead_producer_is_given_up_once_until_it_sends_again<T>(
    stage: &Stage<T>,
) -> Verdict
where
    T: Timer + Clone,
{
    let config = Config::every(stage.ticks(10)).with_give_up_after(stage.ticks(25));
    play(stage, config, async |pushed| {
        let first = pushed.beats(Duration::ZERO).await?;
        pushed.beats(first).await?;
        pushed.silent_until(45).await?;
        ensure!(pushed.heard.snapshot().gave_up == 1, "{:?}", pushed.heard.snapshot());
        let sent = pushed.send("real");
        let at = pushed.until(stage.ticks(47), &["real"]).await?;
        ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        pushed.beats(at).await?;
        ensure!(pushed.heard.snapshot().gave_up == 1, "{:?}", pushed.heard.snapshot());
        Ok(())
    })
    .await
}

pub(super) async fn t16_push_the_alarm_is_moved_once_per_gap_at_most<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        let mut last = Duration::ZERO;
        for _ in 0..5 * stage.rounds() {
            pushed.until(last + stage.ticks(1), &[]).await?;
            pushed.wire.set(Mood::Full);
            let sent = pushed.send("real");
            last = pushed.until(last + stage.ticks(2), &["real"]).await?;
            sent.abort(); // so that it is the driver that looks after it
            pushed.wire.set(Mood::Open);
        }
        let settings = pushed.calls.settings();
        ensure!(settings <= stage.settings(), "{settings} settings in {:?}", stage.now());
        Ok(())
    })
    .await
}

pub(super) async fn t16_push_a_beat_wakes_its_driver_once<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        let mut last = pushed.beats(Duration::ZERO).await?;
        let before = pushed.driver.polls();
        for _ in 0..stage.rounds() {
            last = pushed.beats(last).await?;
        }
        let polls = pushed.driver.polls() - before;
        // One more, for an executor may wake a task as it pleases.
        ensure!(polls <= stage.rounds() as usize + 1, "{polls} wake-ups, {} beats", stage.rounds());
        Ok(())
    })
    .await
}

pub(super) async fn t10_push_an_error_reaches_who_has_caused_it<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(2).await?;
        pushed.wire.set(Mood::Full);
        let lost = pushed.send("lost");
        pushed.until(stage.ticks(4), &["lost"]).await?;
        let waits = pushed.send("real");
        stage.sleep_until(stage.ticks(6)).await?;
        pushed.wire.set(Mood::Losing);
        stage.sleep_until(stage.ticks(8)).await?;
        let (lost, real) = (ended("the send", &lost)?, ended("the send", &waits)?);
        ensure!(lost.is_err(), "its item was lost, and it ended with {lost:?}");
        ensure!(real.is_ok(), "another's item was lost, and it ended with {real:?}");
        ensure!(pushed.driver.take().is_none(), "the driver met the error of a sender");
        let at = pushed.until(stage.ticks(9), &["real"]).await?;
        pushed.beats(at).await.map(drop)
    })
    .await
}

pub(super) async fn t17_push_no_beat_stands_within_a_message<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(4).await?;
        let piece = pushed.send("piece");
        pushed.until(stage.ticks(6), &["piece"]).await?;
        ensure!(ended("the send", &piece)?.is_ok(), "a send failed");
        pushed.silent_until(25).await?;
        let rest = pushed.send("real");
        let at = pushed.until(stage.ticks(27), &["real"]).await?;
        ensure!(ended("the send", &rest)?.is_ok(), "a send failed");
        pushed.beats(at).await.map(drop)
    })
    .await
}

pub(super) async fn t18_push_a_sink_that_wakes_itself_is_asked_once_a_time<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let wire = Wire::new(stage.clone());
    let (sender, driver) =
        heartbeat_sink(wire.clone(), stage.timer().clone(), stage.ticks(10), Beats::default());
    wire.set(Mood::Yielding);
    let (mut send, mut run) = (Box::pin(sender.send("real")), Box::pin(driver));
    for round in 1..=3 {
        let polled = poll_fn(|cx| Poll::Ready(send.as_mut().poll(cx))).await;
        ensure!(polled.is_pending(), "{polled:?} from a sink that is not ready");
        ensure!(wire.polls() == round, "{} questions in {round} polls", wire.polls());
    }
    drop(send); // and the turn is free
    for round in 4..=6 {
        let polled = poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx))).await;
        ensure!(polled.is_pending(), "{polled:?} from a sink that is not ready");
        ensure!(wire.polls() == round, "{} questions in {round} polls", wire.polls());
    }
    Ok(())
}

pub(super) async fn t18_push_the_driver_asks_again_after_a_sender_that_was_dropped<T>(
    stage: &Stage<T>,
) -> Verdict
where
    T: Timer + Clone,
{
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(5).await?;
        pushed.wire.set(Mood::Blocked);
        pushed.silent_until(12).await?; // a beat is owed, and the driver waits for the sink
        let dropped = pushed.send("never"); // now the sink would wake this one
        pushed.silent_until(14).await?;
        dropped.abort();
        pushed.silent_until(16).await?;
        pushed.wire.set(Mood::Open);
        pushed.until(stage.ticks(18), &["beat"]).await.map(drop)
    })
    .await
}

pub(super) async fn t18_push_a_close_that_was_dropped_leaves_nothing_behind<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(2).await?;
        pushed.wire.set(Mood::Full);
        let fed = pushed.sender.feed("fed").await;
        ensure!(fed.is_ok(), "{fed:?} from a sink that takes it");
        pushed.until(stage.ticks(4), &["fed"]).await?;
        let sender = pushed.sender.clone();
        let closes = pushed.tasks.spawn(async move { sender.close().await });
        pushed.silent_until(6).await?;
        closes.abort();
        pushed.silent_until(8).await?;
        ensure!(pushed.driver.take().is_none(), "it ended before that was flushed");
        pushed.wire.set(Mood::Open);
        pushed.silent_until(10).await?;
        ended("the driver", &pushed.driver)?.map_err(wrong)?;
        ensure!(pushed.wire.is_flushed(), "what was fed was not flushed");
        Ok(())
    })
    .await
}

pub(super) async fn t18_push_a_send_that_was_dropped_leaves_an_item_whole_or_none<T>(
    stage: &Stage<T>,
) -> Verdict
where
    T: Timer + Clone,
{
    play(stage, stage.ticks(30), async |pushed| {
        pushed.silent_until(2).await?;
        pushed.wire.set(Mood::Blocked);
        let dropped = pushed.send("never");
        pushed.silent_until(4).await?;
        let waits = pushed.send("real");
        pushed.silent_until(6).await?;
        dropped.abort();
        pushed.silent_until(8).await?;
        pushed.wire.set(Mood::Full);
        pushed.until(stage.ticks(10), &["real"]).await?;
        waits.abort(); // it was handed over, and not flushed
        pushed.silent_until(12).await?;
        pushed.wire.set(Mood::Open);
        pushed.silent_until(14).await?;
        if !pushed.wire.is_flushed() {
            return Err(Trouble::Late(String::from("nobody has flushed it")));
        }
        Ok(())
    })
    .await
}

pub(super) async fn t18_push_senders_take_their_turns<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(2).await?;
        pushed.wire.set(Mood::Blocked);
        // The later one asks, the sooner it is polled.
        let sent = [(5, "three"), (4, "two"), (3, "one")].map(|(at, item)| {
            let (sender, asks) = (pushed.sender.clone(), stage.sleep_until(stage.ticks(at)));
            pushed.tasks.spawn(async move {
                asks.await?;
                sender.send(item).await.map_err(|error| Trouble::Wrong(format!("{error}")))
            })
        });
        pushed.silent_until(7).await?;
        pushed.wire.set(Mood::Open);
        let came = pushed.until(stage.ticks(9), &["one", "two", "three"]).await;
        for sent in &sent {
            ended("a send", sent)??; // first: one that began too late has not sent
        }
        pushed.beats(came?).await.map(drop)
    })
    .await
}

pub(super) async fn t18_push_the_driver_ends_when_every_sender_is_gone<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        let other = pushed.sender.clone();
        pushed.silent_until(2).await?;
        drop(other);
        pushed.silent_until(4).await?;
        ensure!(pushed.driver.take().is_none(), "it ended while there was a sender");
        let Pushed { sender, driver, .. } = pushed;
        drop(sender);
        stage.sleep_until(stage.ticks(6)).await?;
        ended("the driver", &driver)?.map_err(wrong)
    })
    .await
}

pub(super) async fn t18_push_what_the_last_sender_fed_is_flushed<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(2).await?;
        pushed.wire.set(Mood::Full);
        let fed = pushed.sender.feed("fed").await;
        ensure!(fed.is_ok(), "{fed:?} from a sink that takes it");
        let Pushed { wire, sender, driver, .. } = pushed;
        drop(sender);
        stage.sleep_until(stage.ticks(4)).await?;
        ensure!(driver.take().is_none(), "it ended before that was flushed");
        wire.set(Mood::Open);
        stage.sleep_until(stage.ticks(6)).await?;
        ended("the driver", &driver)?.map_err(wrong)?;
        ensure!(wire.is_flushed(), "what was fed was not flushed");
        Ok(())
    })
    .await
}

pub(super) async fn t18_push_closing_ends_the_beats_first<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        let fed = pushed.sender.feed("fed").await;
        ensure!(fed.is_ok(), "{fed:?} from a sink that is open");
        pushed.until(stage.ticks(2), &["fed"]).await?;
        let closed = pushed.sender.close().await;
        ensure!(closed.is_ok() && pushed.wire.is_closed(), "{closed:?}, and it is open");
        pushed.silent_until(15).await?;
        ended("the driver", &pushed.driver)?.map_err(wrong)
    })
    .await
}

pub(super) async fn t18_push_senders_go_on_without_a_driver<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(5).await?;
        pushed.wire.set(Mood::Full);
        pushed.until(stage.ticks(13), &["beat"]).await?; // and it is not out
        pushed.driver.abort();
        pushed.silent_until(15).await?;
        let counts = pushed.heard.snapshot();
        ensure!((counts.sent, counts.errors) == (0, 1), "{counts:?}");
        ensure!(pushed.held.alarms() == 0, "its alarm has outlived it");
        let sent = pushed.send("real");
        pushed.until(stage.ticks(17), &["real"]).await?;
        pushed.wire.set(Mood::Open);
        pushed.silent_until(40).await?;
        ensure!(ended("the send", &sent)?.is_ok(), "a send failed");
        ensure!(pushed.wire.is_flushed(), "it was not flushed");
        Ok(())
    })
    .await
}

pub(super) async fn t19_push_a_beat_is_told_when_it_is_out<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    play(stage, stage.ticks(10), async |pushed| {
        pushed.silent_until(5).await?;
        pushed.wire.set(Mood::Full);
        let at = pushed.until(stage.ticks(13), &["beat"]).await?;
        let counts = pushed.heard.snapshot();
        ensure!((counts.sent, counts.errors) == (0, 0), "{counts:?} before it is out");
        pushed.wire.set(Mood::Open);
        pushed.silent_until(16).await?;
        let counts = pushed.heard.snapshot();
        if counts.sent == 0 {
            return Err(Trouble::Late(String::from("nobody has flushed it")));
        }
        ensure!((counts.sent, counts.errors, counts.bytes) == (1, 0, 4), "{counts:?}");
        let silence = counts.longest_idle;
        ensure!(silence + stage.ticks(1) >= at, "a silence of {silence:?} until {at:?}");
        Ok(())
    })
    .await
}

pub(super) async fn t20_push_a_peer_that_does_not_read_is_told_once<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    for mood in [Mood::Blocked, Mood::Full] {
        let start = stage.now();
        let config = Config::every(stage.ticks(10)).with_stall_after(stage.ticks(5));
        play(stage, config, async |pushed| {
            pushed.until(start + stage.ticks(5), &[]).await?;
            pushed.wire.set(mood);
            // What a sink takes that cannot flush is not read either: the beat after it stalls.
            let taken: &[_] = if mood == Mood::Full { &["beat"] } else { &[] };
            let due = if mood == Mood::Full { 20 } else { 10 };
            pushed.until(start + stage.ticks(due + 1), taken).await?;
            ensure!(pushed.driver.take().is_none(), "it was told too early");
            pushed.until(start + stage.ticks(due + 9), &[]).await?;
            let ended = ended("the driver", &pushed.driver)?;
            ensure!(ended == Err(DriverError::Stalled), "the driver ended with {ended:?}");
            let (counts, lost) = (pushed.heard.snapshot(), 1 + taken.len() as u64);
            ensure!((counts.stalled, counts.sent, counts.errors) == (1, 0, lost), "{counts:?}");
            let silence = counts.longest_idle + stage.granularity();
            ensure!(silence >= stage.ticks(15), "{counts:?} after a silence of 15 ticks");

            pushed.wire.set(Mood::Open);
            let sent = pushed.sender.send("real").await;
            ensure!(sent.is_ok(), "{sent:?} from a sink that is open");
            pushed.until(start + stage.ticks(due + 25), &["real"]).await.map(drop)
        })
        .await?;
    }
    Ok(())
}

pub(super) async fn t20_push_a_peer_that_does_not_read_delays_no_end_for_ever<T>(
    stage: &Stage<T>,
) -> Verdict
where
    T: Timer + Clone,
{
    let config = Config::every(stage.ticks(30)).with_stall_after(stage.ticks(5));
    play(stage, config, async |pushed| {
        pushed.silent_until(2).await?;
        pushed.wire.set(Mood::Full);
        let fed = pushed.sender.feed("fed").await;
        ensure!(fed.is_ok(), "{fed:?} from a sink that takes it");
        let Pushed { sender, driver, heard, .. } = pushed;
        drop(sender);
        stage.sleep_until(stage.ticks(5)).await?;
        ensure!(driver.take().is_none(), "it ended before that was flushed");
        stage.sleep_until(stage.ticks(11)).await?;
        let ended = ended("the driver", &driver)?;
        ensure!(ended == Err(DriverError::Stalled), "the driver ended with {ended:?}");
        ensure!(heard.snapshot().stalled == 1, "{:?}", heard.snapshot());
        Ok(())
    })
    .await
}

pub(super) async fn t21_push_foreign_beats_break_the_silence_but_show_no_life<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let config = Config::every(stage.ticks(10)).with_give_up_after(stage.ticks(25));
    play(stage, config, async |pushed| {
        for foreign in 1..=4 {
            pushed.silent_until(6 * foreign).await?;
            let sent = pushed.sender.send("foreign").await;
            ensure!(sent.is_ok(), "{sent:?} from a sink that is open");
            pushed.wire.take();
        }
        pushed.silent_until(40).await?;
        ensure!(pushed.heard.snapshot().gave_up == 1, "{:?}", pushed.heard.snapshot());
        Ok(())
    })
    .await
}

fn wrong(error: DriverError<WireError>) -> Trouble {
    Trouble::Wrong(format!("the driver ended with {error:?}"))
}
