use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;
use heartbeat_core::{Action, Config, Heartbeat, Instant};
use pin_project_lite::pin_project;

use crate::beat::{Beat, Kind, Recognize};
use crate::observer::{NoObserver, Observer, Outcome};
use crate::seed;
use crate::timer::Timer;

pin_project! {
    /// A stream that yields a heartbeat whenever the stream within has been silent for an interval.
    ///
    /// - An inner item that is ready always goes first, and a heartbeat is made only when the
    ///   consumer polls: however slow it is, at most one is waiting (T5, T17).
    /// - An item touches neither timer nor clock. The clock is read when the inner stream has
    ///   nothing ready: that the consumer came back counts as the send of what it took before (T16).
    ///   The silence on the wire is therefore at most the interval plus the time for which the
    ///   consumer held an item without polling.
    /// - The end of the inner stream is the end of this one; no heartbeat follows it (T17).
    /// - When heartbeats cease, since the [producer was given up](Config::with_give_up_after) or
    ///   [`stop`](Self::stop) was called, inner items still pass (T9, T12).
    /// - With an interval of zero it passes everything through and holds no alarm (T1).
    ///
    /// [`Config::with_stall_after`] has no effect here: who does not poll asks for nothing (T20).
    ///
    /// # Cancellation
    ///
    /// Dropping the stream drops its alarm. A heartbeat that was yielded, and after which the
    /// consumer has not polled again, counts as [`Outcome::Error`] (T16). Nothing else is lost:
    /// items are never kept back.
    #[must_use = "streams do nothing unless polled"]
    pub struct HeartbeatStream<S, T, B, O = NoObserver>
    where
        T: Timer,
        O: Observer,
    {
        #[pin]
        inner: S,
        #[pin]
        alarm: Option<T::Sleep>,
        pace: Pace<T>,
        beat: B,
        flight: Flight<O>,
    }
}

/// When the next heartbeat is due, and what there is to know for it.
struct Pace<T: Timer> {
    heart: Heartbeat<T::Instant>,
    timer: T,
    armed: Option<Armed<T::Instant>>,
    /// Not so if disabled or stopped: items pass then, and that is all (T1, T9).
    beating: bool,
    /// The last item was a failure, and no heartbeat may follow it (T17).
    muted: bool,
    taken: Taken,
}

/// The alarm is set for a deadline, at which it will be asked whether that still holds (T16).
struct Armed<I> {
    /// Before that instant the alarm does not go off, and nothing is due.
    quiet_until: I,
    /// Who will be woken.
    waker: Waker,
}

/// What the consumer has taken since the clock was last read (T16). Those from `Ours` on are looked
/// at before the next poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    Nothing,
    /// Heartbeats only, ours or somebody else's (T21).
    Heartbeat,
    Real,
    /// A heartbeat of ours, which is in flight until the consumer is back.
    Ours,
    /// The end. The inner stream is not polled again.
    End,
}

impl<S, T, B> HeartbeatStream<S, T, B>
where
    S: Stream,
    T: Timer,
    B: Beat<S::Item>,
{
    /// Wraps a stream. Its silence begins now (T2).
    ///
    /// `config` is an interval or a whole [`Config`]; `beat` makes the heartbeats, in the simplest
    /// case a closure. For a stream of `Result` wrap it in [`TryBeat`](crate::TryBeat), which knows
    /// that an `Err` is no send (T17).
    pub fn new(inner: S, timer: T, config: impl Into<Config>, beat: B) -> Self {
        let mut config = config.into();
        if config.seed().is_none() {
            config = config.with_seed(seed::unique());
        }
        let pace = Pace {
            heart: Heartbeat::new(&config, timer.now()).with_granularity(timer.granularity()),
            timer,
            armed: None,
            beating: !config.is_disabled(),
            muted: false,
            taken: Taken::Nothing,
        };
        let flight = Flight { observer: NoObserver, beat: None };
        Self { inner, alarm: None, pace, beat, flight }
    }
}

impl<S, T, B, O> HeartbeatStream<S, T, B, O>
where
    S: Stream,
    T: Timer,
    O: Observer,
{
    /// Tells `observer` what becomes of the heartbeats from now on (T19).
    pub fn observe<P: Observer>(mut self, observer: P) -> HeartbeatStream<S, T, B, P> {
        let flight = Flight { observer, beat: self.flight.beat.take() };
        let Self { inner, alarm, pace, beat, .. } = self;
        HeartbeatStream { inner, alarm, pace, beat, flight }
    }

    /// Takes inner items for which `is_heartbeat` holds for somebody else's heartbeats, not for real
    /// events: they break the silence, but they do not keep a dead producer's stream alive (T12,
    /// T21).
    pub fn recognize<P>(self, is_heartbeat: P) -> HeartbeatStream<S, T, Recognize<B, P>, O>
    where
        P: FnMut(&S::Item) -> bool,
    {
        let Self { inner, alarm, pace, beat, flight } = self;
        let beat = Recognize::new(beat, is_heartbeat);
        HeartbeatStream { inner, alarm, pace, beat, flight }
    }

    /// The observer that was given to [`observe`](Self::observe).
    pub fn observer(&self) -> &O {
        &self.flight.observer
    }

    /// Ends the heartbeats; inner items still pass. May be called again (T9).
    pub fn stop(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.alarm.set(None);
        this.pace.armed = None;
        this.pace.heart.stop();
        this.pace.beating = false;
    }

    /// The stream within.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The stream within. An item taken from it here is none that the heartbeats know of.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The stream within. An item taken from it here is none that the heartbeats know of.
    #[must_use]
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut S> {
        self.project().inner
    }

    /// The stream within, without heartbeats. No item is lost; see [Cancellation](#cancellation).
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, T, B, O> Stream for HeartbeatStream<S, T, B, O>
where
    S: Stream,
    T: Timer,
    B: Beat<S::Item>,
    O: Observer,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let pace = this.pace;
        if pace.taken >= Taken::Ours {
            if pace.taken == Taken::End {
                return Poll::Ready(None);
            }
            this.flight.end(Outcome::Sent); // the consumer is back for more
            pace.taken = Taken::Heartbeat;
        }

        // Real items first, always, and they touch neither clock nor alarm (T16, T17).
        match this.inner.poll_next(cx) {
            Poll::Ready(Some(item)) => {
                match this.beat.kind(&item) {
                    Kind::Real => (pace.taken, pace.muted) = (Taken::Real, false),
                    Kind::Heartbeat => {
                        (pace.taken, pace.muted) = (Taken::Heartbeat.max(pace.taken), false);
                    }
                    Kind::Failure => pace.muted = true,
                }
                Poll::Ready(Some(item))
            }
            Poll::Ready(None) => {
                // Where there are no heartbeats the machine was told of no sends.
                if pace.beating && this.flight.observer.is_enabled() {
                    this.flight.observer.silence(pace.heart.silence(pace.timer.now()));
                }
                pace.taken = Taken::End;
                this.alarm.set(None);
                Poll::Ready(None)
            }
            Poll::Pending => pace.poll_beat(this.alarm, this.beat, this.flight, cx).map(Some),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.pace.taken == Taken::End {
            return (0, Some(0));
        }
        let (lower, upper) = self.inner.size_hint();
        (lower, upper.filter(|_| !self.pace.beating)) // heartbeats have no bound
    }
}

impl<S, T, B, O> FusedStream for HeartbeatStream<S, T, B, O>
where
    S: Stream,
    T: Timer,
    B: Beat<S::Item>,
    O: Observer,
{
    fn is_terminated(&self) -> bool {
        self.pace.taken == Taken::End
    }
}

impl<S, T, B, O> fmt::Debug for HeartbeatStream<S, T, B, O>
where
    S: fmt::Debug,
    T: Timer,
    T::Instant: fmt::Debug,
    O: Observer,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatStream")
            .field("inner", &self.inner)
            .field("heart", &self.pace.heart)
            .finish_non_exhaustive()
    }
}

impl<I: Instant> Armed<I> {
    /// The alarm was set at `now` for `deadline`.
    fn new(now: I, deadline: I, granularity: Duration, waker: Waker) -> Self {
        let quiet = deadline.saturating_duration_since(now).saturating_sub(granularity);
        Self { quiet_until: now.checked_add(quiet).unwrap_or(now), waker }
    }

    /// Whether it is still to go off, and will then wake the one who asks.
    fn holds(&self, now: I, waker: &Waker) -> bool {
        now < self.quiet_until && self.waker.will_wake(waker)
    }
}

impl<T: Timer> Pace<T> {
    /// The inner stream has nothing ready: is a heartbeat due?
    // Apart from the way of an item, which is short enough to be inlined without it.
    #[inline(never)]
    fn poll_beat<B, Item, O>(
        &mut self,
        mut alarm: Pin<&mut Option<T::Sleep>>,
        beat: &mut B,
        flight: &mut Flight<O>,
        cx: &mut Context<'_>,
    ) -> Poll<Item>
    where
        B: Beat<Item>,
        O: Observer,
    {
        let nothing_to_report = self.muted && self.taken == Taken::Nothing;
        if nothing_to_report || !self.beating {
            return Poll::Pending;
        }

        let mut now = self.timer.now();
        let taken = mem::replace(&mut self.taken, Taken::Nothing);
        if taken != Taken::Nothing && flight.observer.is_enabled() {
            flight.observer.silence(self.heart.silence(now));
        }
        match taken {
            Taken::Real => self.heart.on_send(now),
            Taken::Heartbeat => self.heart.on_heartbeat_sent(now),
            Taken::Nothing | Taken::Ours | Taken::End => {}
        }
        if self.muted {
            return Poll::Pending;
        }
        // What was taken has moved the deadline away from the alarm, which is set all the same. If
        // nothing was, it may be the alarm that has woken us, and it must be looked at.
        if taken != Taken::Nothing
            && self.armed.as_ref().is_some_and(|armed| armed.holds(now, cx.waker()))
        {
            return Poll::Pending;
        }

        // The machine decides by the clock; the alarm only wakes us to ask it again.
        let mut rearmed = false;
        loop {
            let deadline = match self.heart.poll_deadline(now) {
                Action::WaitUntil(deadline) => deadline,
                Action::SendHeartbeat { late } => {
                    let heartbeat = beat.heartbeat();
                    flight.beat = Some(InFlight { late, bytes: beat.bytes(&heartbeat) });
                    self.taken = Taken::Ours;
                    self.armed = None; // the next deadline has nothing to do with this one
                    return Poll::Ready(heartbeat);
                }
                Action::GiveUp => {
                    flight.observer.gave_up();
                    return Poll::Pending; // only a real event changes that (T12)
                }
                // The last two are for others: who stopped is passing through, and who is asked
                // while a heartbeat is in flight is a push side.
                Action::WaitForever | Action::Stopped | Action::Stalled => return Poll::Pending,
            };
            // Deadlines only ever move later while the alarm is set: it goes off soon enough (T16).
            if self.armed.is_none() {
                if rearmed {
                    // It went off the moment it was set: a broken timer, which must not spin here.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                self.timer.reset(alarm.as_mut(), deadline);
                rearmed = true;
            }
            let gone_off = alarm.as_mut().as_pin_mut().map(|alarm| alarm.poll(cx));
            if gone_off == Some(Poll::Pending) {
                match &mut self.armed {
                    Some(armed) => armed.waker.clone_from(cx.waker()),
                    armed => {
                        let waker = cx.waker().clone();
                        let granularity = self.timer.granularity();
                        *armed = Some(Armed::new(now, deadline, granularity, waker));
                    }
                }
                return Poll::Pending;
            }
            self.armed = None;
            now = self.timer.now();
        }
    }
}

/// A heartbeat that the consumer has taken, until it comes back for more: that it did means that the
/// heartbeat is out (T16). If it never does, nobody knows.
struct Flight<O: Observer> {
    observer: O,
    beat: Option<InFlight>,
}

#[derive(Clone, Copy)]
struct InFlight {
    late: Duration,
    bytes: Option<usize>,
}

impl<O: Observer> Flight<O> {
    fn end(&mut self, outcome: Outcome) {
        if let Some(InFlight { late, bytes }) = self.beat.take() {
            self.observer.heartbeat(outcome, late, bytes);
        }
    }
}

impl<O: Observer> Drop for Flight<O> {
    fn drop(&mut self) {
        self.end(Outcome::Error);
    }
}
