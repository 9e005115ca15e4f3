use core::fmt;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;
use heartbeat_core::{Action, Config, Heartbeat};
use pin_project_lite::pin_project;

use crate::alarm::Alarm;
use crate::beat::{Beat, Kind, Recognize};
use crate::heart;
use crate::observer::{NoObserver, Observer, Outcome};
use crate::telling::Telling;
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
        alarm: Alarm<T>,
        pulse: Pulse<T>,
        beat: B,
        flight: Flight<O>,
    }
}

/// When the next heartbeat is due, and what there is to know for it.
struct Pulse<T: Timer> {
    heart: Heartbeat<T::Instant>,
    timer: T,
    /// Not so if disabled or stopped: items pass then, and that is all (T1, T9).
    beating: bool,
    /// The last item was a failure, and no heartbeat may follow it (T17).
    muted: bool,
    taken: Taken,
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
        let config = config.into();
        let pulse = Pulse {
            heart: heart::born(config, &timer),
            timer,
            beating: !config.is_disabled(),
            muted: false,
            taken: Taken::Nothing,
        };
        let flight = Flight { telling: Telling::new(NoObserver), beat: None };
        Self { inner, alarm: Alarm::new(), pulse, beat, flight }
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
        let telling = Telling::new(observer);
        let flight = Flight { telling, beat: self.flight.beat.take() };
        let Self { inner, alarm, pulse, beat, .. } = self;
        HeartbeatStream { inner, alarm, pulse, beat, flight }
    }

    /// Takes inner items for which `is_heartbeat` holds for somebody else's heartbeats, not for real
    /// events: they break the silence, but they do not keep a dead producer's stream alive (T12,
    /// T21).
    pub fn recognize<P>(self, is_heartbeat: P) -> HeartbeatStream<S, T, Recognize<B, P>, O>
    where
        P: FnMut(&S::Item) -> bool,
    {
        let Self { inner, alarm, pulse, beat, flight } = self;
        let beat = Recognize::new(beat, is_heartbeat);
        HeartbeatStream { inner, alarm, pulse, beat, flight }
    }

    /// The observer that was given to [`observe`](Self::observe).
    pub fn observer(&self) -> &O {
        self.flight.telling.observer()
    }

    /// Ends the heartbeats; inner items still pass. May be called again (T9).
    pub fn stop(self: Pin<&mut Self>) {
        let this = self.project();
        this.alarm.clear();
        this.pulse.heart.stop();
        this.pulse.beating = false;
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
        let this = self.project();
        let pulse = this.pulse;
        if pulse.taken >= Taken::Ours {
            if pulse.taken == Taken::End {
                return Poll::Ready(None);
            }
            this.flight.end(Outcome::Sent); // the consumer is back for more
            pulse.taken = Taken::Heartbeat;
        }

        // Real items first, always, and they touch neither clock nor alarm (T16, T17).
        match this.inner.poll_next(cx) {
            Poll::Ready(Some(item)) => {
                match this.beat.kind(&item) {
                    Kind::Real => (pulse.taken, pulse.muted) = (Taken::Real, false),
                    Kind::Heartbeat => {
                        (pulse.taken, pulse.muted) = (Taken::Heartbeat.max(pulse.taken), false);
                    }
                    Kind::Failure => pulse.muted = true,
                }
                Poll::Ready(Some(item))
            }
            Poll::Ready(None) => {
                // Where there are no heartbeats the machine was told of no sends.
                if pulse.beating && this.flight.telling.is_enabled() {
                    this.flight.telling.silence(pulse.heart.silence(pulse.timer.now()));
                }
                pulse.taken = Taken::End;
                this.alarm.clear();
                Poll::Ready(None)
            }
            Poll::Pending => pulse.poll_beat(this.alarm, this.beat, this.flight, cx).map(Some),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.pulse.taken == Taken::End {
            return (0, Some(0));
        }
        let (lower, upper) = self.inner.size_hint();
        (lower, upper.filter(|_| !self.pulse.beating)) // heartbeats have no bound
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
        self.pulse.taken == Taken::End
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
            .field("heart", &self.pulse.heart)
            .finish_non_exhaustive()
    }
}

impl<T: Timer> Pulse<T> {
    /// The inner stream has nothing ready: is a heartbeat due?
    // Apart from the way of an item, which is short enough to be inlined without it.
    #[inline(never)]
    fn poll_beat<B, Item, O>(
        &mut self,
        mut alarm: Pin<&mut Alarm<T>>,
        beat: &mut B,
        flight: &mut Flight<O>,
        cx: &mut Context<'_>,
    ) -> Poll<Item>
    where
        B: Beat<Item>,
        O: Observer,
    {
        let held_back = self.muted || !beat.fits();
        let nothing_to_report = held_back && self.taken == Taken::Nothing;
        if nothing_to_report || !self.beating {
            return Poll::Pending;
        }

        let mut now = self.timer.now();
        let taken = mem::replace(&mut self.taken, Taken::Nothing);
        if taken != Taken::Nothing && flight.telling.is_enabled() {
            flight.telling.silence(self.heart.silence(now));
        }
        match taken {
            Taken::Real => self.heart.on_send(now),
            Taken::Heartbeat => self.heart.on_heartbeat_sent(now),
            Taken::Nothing | Taken::Ours | Taken::End => {}
        }
        if held_back {
            return Poll::Pending;
        }
        // What was taken has moved the deadline away from the alarm, which is set all the same. If
        // nothing was, it may be the alarm that has woken us, and it must be looked at.
        if taken != Taken::Nothing && alarm.holds(now, cx.waker()) {
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
                    alarm.disarm();
                    return Poll::Ready(heartbeat);
                }
                Action::GiveUp => {
                    flight.telling.gave_up();
                    return Poll::Pending; // only a real event changes that (T12)
                }
                // The last two are for others: who stopped is passing through, and who is asked
                // while a heartbeat is in flight is a push side.
                Action::WaitForever | Action::Stopped | Action::Stalled => return Poll::Pending,
            };
            ready!(alarm.as_mut().poll(&self.timer, deadline, now, &mut rearmed, cx));
            now = self.timer.now();
        }
    }
}

/// A heartbeat that the consumer has taken, until it comes back for more: that it did means that the
/// heartbeat is out (T16). If it never does, nobody knows.
struct Flight<O: Observer> {
    telling: Telling<O>,
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
            self.telling.heartbeat(outcome, late, bytes);
        }
    }
}

impl<O: Observer> Drop for Flight<O> {
    fn drop(&mut self) {
        self.end(Outcome::Error);
    }
}
