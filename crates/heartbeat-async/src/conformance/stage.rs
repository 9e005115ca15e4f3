use core::cell::Cell;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::boxed::Box;
use std::format;
use std::rc::Rc;
use std::string::String;

use futures_core::Stream;

use super::Pace;
use super::hubs::Hubs;
use super::paced::Paced;
use super::source::Source;
use super::spy::{Calls, Spied};
use crate::flag_waker::FlagWaker;
use crate::{Config, Counters, HeartbeatStream, Hub, Instant, MakeHeartbeat, Timer};

/// How often a stream may be polled in one scenario before it counts as spinning.
const POLLS: usize = 100_000;

/// Why a scenario did not come to its end.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// What happened is against the rules.
    Wrong(String),
    /// Something came too late to tell: by a fault, or since the machine was busy.
    Late(String),
}

pub(super) type Verdict<T = ()> = Result<T, Trouble>;

/// Ends the scenario unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($otherwise:tt)+) => {
        if !$holds {
            return Err($crate::conformance::stage::Trouble::Wrong(std::format!($($otherwise)+)));
        }
    };
}
pub(super) use ensure;

/// When something happened, as exactly as it is known, since the scenario began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: Duration,
    pub(super) to: Duration,
}

impl Window {
    /// How long it was after something earlier, as exactly as that is known.
    pub(super) fn since(self, earlier: Self) -> Self {
        let from = self.from.saturating_sub(earlier.to);
        Self { from, to: self.to.saturating_sub(earlier.from) }
    }

    pub(super) fn contains(self, time: Duration) -> bool {
        (self.from..=self.to).contains(&time)
    }
}

/// The time of one performance of a scenario.
#[derive(Clone)]
pub(super) struct Stage<T: Timer> {
    timer: T,
    /// Of all that is opened, if it is to be on hubs.
    hubs: Option<Hubs<Spied<T>>>,
    pace: Pace,
    start: T::Instant,
    /// The widest window.
    doubt: Rc<Cell<Duration>>,
}

impl<T: Timer + Clone> Stage<T> {
    pub(super) fn new(timer: T, pace: Pace) -> Self {
        Self { start: timer.now(), timer, hubs: None, pace, doubt: Rc::default() }
    }

    /// The same with hubs, on which all is that is opened.
    pub(super) fn with_hubs(self, hubs: Hubs<Spied<T>>) -> Self {
        Self { hubs: Some(hubs), ..self }
    }

    pub(super) fn timer(&self) -> &T {
        &self.timer
    }

    pub(super) fn ticks(&self, ticks: u32) -> Duration {
        self.pace.tick.saturating_mul(ticks)
    }

    /// How often what repeats itself is repeated.
    pub(super) fn rounds(&self) -> u32 {
        self.pace.rounds
    }

    /// By how much an alarm may be late.
    pub(super) fn late(&self) -> Duration {
        self.pace.late
    }

    pub(super) fn now(&self) -> Duration {
        self.timer.now().saturating_duration_since(self.start)
    }

    /// What has happened since `from`.
    pub(super) fn window(&self, from: Duration) -> Window {
        let to = self.now();
        self.doubt.set(self.doubt.get().max(to.saturating_sub(from)));
        Window { from, to }
    }

    /// Takes for late what seems to be wrong, if it may seem so only because the scenario's looks at
    /// the clock were far apart: it was kept from going on between them.
    pub(super) fn doubt(&self, trouble: Trouble) -> Trouble {
        match trouble {
            Trouble::Wrong(what) if self.doubt.get() > self.pace.late / 2 => Trouble::Late(what),
            trouble => trouble,
        }
    }

    /// By how much a heartbeat may be early, where the interval is ten ticks.
    pub(super) fn granularity(&self) -> Duration {
        match self.hubs {
            Some(_) => self.ticks(10) / 64, // T15
            None => self.timer.granularity(),
        }
    }

    pub(super) fn instant(&self, at: Duration) -> T::Instant {
        self.start.checked_add(at).unwrap_or(self.start)
    }

    /// Waits, and makes sure that it was not for much too long.
    pub(super) async fn sleep_until(&self, at: Duration) -> Verdict {
        self.alarm(at).await;
        self.punctual(at)
    }

    /// Goes off at `at` or up to a granularity later, never earlier.
    fn alarm(&self, at: Duration) -> T::Sleep {
        self.timer.sleep_until(self.instant(at + self.timer.granularity()))
    }

    /// Whether it is not much later than `at`.
    fn punctual(&self, at: Duration) -> Verdict {
        let late = self.now().saturating_sub(at);
        if late > self.pace.late + self.timer.granularity() {
            return Err(Trouble::Late(format!("{late:?} late for what was to be at {at:?}")));
        }
        Ok(())
    }

    /// Makes sure that what happened at `at` came a gap after `since`; earlier by the timer's
    /// granularity (T4), later by what an alarm may be late.
    pub(super) fn in_time(&self, at: Duration, since: Duration, gap: Duration) -> Verdict {
        let due = since + gap;
        let granularity = self.granularity().min(gap / 2);
        ensure!(at + granularity >= due, "a beat at {at:?}, due at {due:?}");
        if at > due + self.pace.late {
            return Err(Trouble::Late(format!("a beat at {at:?}, due at {due:?}")));
        }
        Ok(())
    }

    /// How often an alarm may have been set by now for gaps of ten ticks, with a send every two.
    pub(super) fn settings(&self) -> usize {
        // Set for a gap after a send, it goes off that much less two ticks after the send before it.
        let gap = self.ticks(8).saturating_sub(self.granularity());
        usize::try_from(self.now().as_nanos().div_ceil(gap.as_nanos()) + 1).unwrap_or(usize::MAX)
    }

    /// Makes sure that what was just looked at was not looked at too late.
    pub(super) fn not_after(&self, at: Duration) -> Verdict {
        let now = self.now();
        if now > at {
            return Err(Trouble::Late(format!("at {now:?}, and not before {at:?}")));
        }
        Ok(())
    }

    /// Opens a stream with heartbeats on the timer under test.
    pub(super) fn open<I, B>(&self, config: impl Into<Config>, beat: B) -> Opened<T, I, B>
    where
        I: fmt::Debug + PartialEq,
        B: MakeHeartbeat<I>,
    {
        let (source, heard) = (Source::new(), Rc::new(Counters::new()));
        let (scheduler, held) = self.scheduler();
        let from = self.now();
        let stream = HeartbeatStream::new(source.clone(), scheduler, config, beat);
        let stream = stream.with_observer(Rc::clone(&heard)); // which hears of a silence that begins here
        let born = self.window(from);
        let consumer = Consumer::new(self.clone(), stream, born);
        Opened { source, calls: held.calls(), held, heard, consumer }
    }

    /// The timer under test, or a hub on it.
    pub(super) fn scheduler(&self) -> (Paced<Spied<T>>, Held<T>) {
        let timer = Spied::new(self.timer.clone());
        let calls = timer.calls();
        let Some(hubs) = &self.hubs else {
            return (Paced::Own(timer), Held { calls, hub: None });
        };
        // The alarm is not that of the stream, which cannot spin for it.
        calls.keep_alarms_steady();
        let hub = hubs.open(timer);
        (Paced::Hub(hub.clone()), Held { calls, hub: Some(hub) })
    }
}

/// What a stream, or a sink, holds of its scheduler.
pub(super) struct Held<T: Timer> {
    calls: Rc<Calls>,
    hub: Option<Hub<Spied<T>>>,
}

impl<T: Timer> Held<T> {
    /// What it asks its timer for.
    pub(super) fn calls(&self) -> Rc<Calls> {
        Rc::clone(&self.calls)
    }

    /// How many alarms it has: of its own, or in the hub.
    pub(super) fn alarms(&self) -> usize {
        self.hub.as_ref().map_or_else(|| self.calls.alarms(), Hub::len)
    }
}

/// The stream under test.
pub(super) type Tested<T, I, B> = HeartbeatStream<Source<I>, B, Paced<Spied<T>>, Rc<Counters>>;

/// A stream under test and all that can be seen of it.
pub(super) struct Opened<T: Timer, I, B> {
    /// What it wraps.
    pub(super) source: Source<I>,
    /// What it asks its timer for.
    pub(super) calls: Rc<Calls>,
    /// What it holds.
    pub(super) held: Held<T>,
    /// What it tells its observer.
    pub(super) heard: Rc<Counters>,
    /// Who takes its items.
    pub(super) consumer: Consumer<T, Tested<T, I, B>>,
}

/// Takes the items of a stream, and knows since when it has been waiting for the next.
pub(super) struct Consumer<T: Timer, S> {
    stage: Stage<T>,
    stream: Pin<Box<S>>,
    /// When it came back from what it took last, or when the stream was made.
    back: Window,
    away: bool,
    polls: usize,
}

/// What came of waiting for an item.
enum Next<I> {
    Item(I, Window),
    End,
    Nothing,
}

impl<T, S> Consumer<T, S>
where
    T: Timer + Clone,
    S: Stream,
    S::Item: fmt::Debug + PartialEq,
{
    pub(super) fn new(stage: Stage<T>, stream: S, born: Window) -> Self {
        Self { stage, stream: Box::pin(stream), back: born, away: false, polls: 0 }
    }

    pub(super) fn stream(&mut self) -> Pin<&mut S> {
        self.stream.as_mut()
    }

    /// Since when the consumer has been waiting.
    pub(super) fn back(&self) -> Window {
        self.back
    }

    /// Corrects that, where the clock that the stream was shown is to blame.
    pub(super) fn was_back_at(&mut self, back: Window) {
        self.back = back;
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let from = self.stage.now();
        self.polls += 1;
        let next = self.stream.as_mut().poll_next(cx);
        if next.is_ready() {
            self.away = true;
        } else if self.away {
            self.away = false;
            self.back = self.stage.window(from);
        }
        next
    }

    /// Polls once, and leaves the task registered for what comes.
    pub(super) async fn poll_once(&mut self) -> Poll<Option<S::Item>> {
        poll_fn(|cx| Poll::Ready(self.poll(cx))).await
    }

    /// Comes back, and finds nothing.
    pub(super) async fn finds_nothing(&mut self) -> Verdict {
        match self.poll_once().await {
            Poll::Pending => Ok(()),
            Poll::Ready(other) => {
                let at = self.stage.now();
                Err(Trouble::Wrong(format!("{other:?} at {at:?}, where nothing was to be ready")))
            }
        }
    }

    /// Finds nothing, if it is not too late to tell.
    pub(super) async fn finds_nothing_before(&mut self, at: Duration) -> Verdict {
        let found = self.finds_nothing().await;
        self.stage.not_after(at)?;
        found
    }

    /// Takes the item that is ready, comes back, and finds nothing more.
    pub(super) async fn takes(&mut self, item: S::Item) -> Verdict {
        let taken = self.poll_once().await;
        ensure!(
            matches!(&taken, Poll::Ready(Some(taken)) if *taken == item),
            "{taken:?} came where {item:?} was ready"
        );
        self.finds_nothing().await
    }

    /// The same with another waker than the task's.
    pub(super) fn takes_by(&mut self, waker: &Waker, item: S::Item) -> Verdict {
        let mut cx = Context::from_waker(waker);
        let taken = self.poll(&mut cx);
        ensure!(taken == Poll::Ready(Some(item)), "{taken:?} where an item was ready");
        let polled = self.poll(&mut cx);
        ensure!(polled.is_pending(), "{polled:?} where nothing was ready");
        Ok(())
    }

    /// Polls again and again before `at`, and each poll sets the alarm once at most.
    pub(super) fn does_not_spin_before(&mut self, at: Duration, calls: &Calls) -> Verdict {
        let (_, waker) = FlagWaker::new();
        for _ in 0..5 {
            let before = calls.settings();
            let polled = self.poll(&mut Context::from_waker(&waker));
            self.stage.not_after(at)?;
            ensure!(polled.is_pending(), "{polled:?} before its time");
            let settings = calls.settings() - before;
            ensure!(settings <= 1, "{settings} settings of the alarm in one poll");
        }
        Ok(())
    }

    /// Waits until `at` for what must not come.
    pub(super) async fn silent_until(&mut self, at: Duration) -> Verdict {
        match self.next_until(at).await? {
            Next::Nothing => self.stage.punctual(at),
            Next::Item(_, seen) if seen.from > at => {
                Err(Trouble::Late(format!("polled at {:?} and not before {at:?}", seen.from)))
            }
            Next::Item(item, seen) => Err(Trouble::Wrong(format!(
                "{item:?} at {:?}, where silence was due until {at:?}",
                seen.to
            ))),
            Next::End => Err(Trouble::Wrong(String::from("the stream ended"))),
        }
    }

    /// Waits for `item`, which must come a gap of `gap` after the consumer came back, and comes back
    /// from it.
    pub(super) async fn beats(&mut self, item: S::Item, gap: Duration) -> Verdict {
        self.awaits(item, gap).await?;
        self.finds_nothing().await
    }

    /// The same without coming back.
    pub(super) async fn awaits(&mut self, item: S::Item, gap: Duration) -> Verdict<Window> {
        self.awaits_within(item, gap, gap).await
    }

    /// Waits for `item`, which must come a gap of `least` to `most` after the consumer came back;
    /// earlier by the timer's granularity (T4), later by what an alarm may be late.
    pub(super) async fn awaits_within(
        &mut self,
        item: S::Item,
        least: Duration,
        most: Duration,
    ) -> Verdict<Window> {
        let granularity = self.stage.granularity().min(least / 2);
        let earliest = (self.back.from + least).saturating_sub(granularity);
        let latest = self.back.to + most + self.stage.late();
        self.awaits_between(item, earliest, latest).await
    }

    /// Waits for `item`, which must come between the two.
    pub(super) async fn awaits_between(
        &mut self,
        item: S::Item,
        earliest: Duration,
        latest: Duration,
    ) -> Verdict<Window> {
        match self.next_until(latest + self.stage.ticks(1)).await? {
            Next::Item(came, seen) => {
                ensure!(came == item, "{came:?} at {:?}, where {item:?} was due", seen.to);
                ensure!(seen.to >= earliest, "{item:?} at {:?}, before {earliest:?}", seen.to);
                if seen.from > latest {
                    let when = seen.from;
                    return Err(Trouble::Late(format!("{item:?} at {when:?}, after {latest:?}")));
                }
                Ok(seen)
            }
            Next::Nothing => Err(Trouble::Wrong(format!("no {item:?} by {latest:?}"))),
            Next::End => Err(Trouble::Wrong(String::from("the stream ended"))),
        }
    }

    /// Takes what comes until `at`, which must be `item` each time, and counts it.
    pub(super) async fn counts_until(&mut self, at: Duration, item: &S::Item) -> Verdict<u64> {
        let mut count = 0;
        loop {
            match self.next_until(at).await? {
                Next::Item(came, seen) => {
                    ensure!(came == *item, "{came:?} at {:?}, before it was sent", seen.to);
                    count += 1;
                }
                Next::Nothing => return Ok(count),
                Next::End => return Err(Trouble::Wrong(String::from("the stream ended"))),
            }
        }
    }

    /// Waits for an item, no longer than until `at`.
    async fn next_until(&mut self, at: Duration) -> Verdict<Next<S::Item>> {
        let mut alarm = pin!(self.stage.alarm(at));
        let next = poll_fn(|cx| {
            let from = self.stage.now();
            match self.poll(cx) {
                Poll::Ready(Some(item)) => Poll::Ready(Next::Item(item, self.stage.window(from))),
                Poll::Ready(None) => Poll::Ready(Next::End),
                Poll::Pending if self.polls > POLLS => Poll::Ready(Next::Nothing),
                Poll::Pending => alarm.as_mut().poll(cx).map(|()| Next::Nothing),
            }
        });
        let next = next.await;
        ensure!(self.polls <= POLLS, "the stream spins: {POLLS} polls");
        Ok(next)
    }
}
