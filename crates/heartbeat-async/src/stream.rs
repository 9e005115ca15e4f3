use core::fmt;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use heartbeat_core::Config;
use pin_project_lite::pin_project;

use crate::audience::{Audience, InFlight, Memory};
use crate::beat::{Beat, Kind, Recognize};
use crate::observer::{NoObserver, Observer, Outcome};
use crate::pacemaker::{AlarmOf, Due, News, Pacemaker, Pulse, Witness};
use crate::telling::Telling;

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
    /// [`Config::with_stall_after`] has an effect on a [hub](crate#features) alone: on a timer, who does
    /// not poll asks for nothing (T20).
    ///
    /// # Cancellation
    ///
    /// Dropping the stream drops its alarm. A heartbeat that was yielded, and after which the
    /// consumer has not polled again, counts as [`Outcome::Error`] (T16); on a hub the consumer may
    /// have [stalled](Observer::stalled) with it. Nothing else is lost: items are never kept back.
    #[must_use = "streams do nothing unless polled"]
    pub struct HeartbeatStream<S, P, B, O = NoObserver>
    where
        P: Pacemaker,
        O: Audience,
    {
        #[pin]
        inner: S,
        #[pin]
        alarm: AlarmOf<P>,
        // Dropped before the pulse, which knows why the consumer has not come back.
        flight: Flight<O, P::Pulse>,
        state: State<P::Pulse>,
        beat: B,
    }
}

/// When the next heartbeat is due, and what there is to know for it.
struct State<U> {
    pulse: U,
    /// Not so if disabled or stopped: items pass then, and that is all (T1, T9).
    beating: bool,
    /// A consumer that does not come back is told of (T20), so it is to be known at once that it is.
    watched: bool,
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

impl<S, P, B> HeartbeatStream<S, P, B>
where
    S: Stream,
    P: Pacemaker,
    B: Beat<S::Item>,
{
    /// Wraps a stream. Its silence begins now (T2).
    ///
    /// `config` is an interval or a whole [`Config`]; `beat` makes the heartbeats, in the simplest
    /// case a closure. For a stream of `Result` wrap it in [`TryBeat`](crate::TryBeat), which knows
    /// that an `Err` is no send (T17).
    pub fn new(inner: S, pacemaker: P, config: impl Into<Config>, beat: B) -> Self {
        let config = config.into();
        let state = State {
            pulse: pacemaker.born(config),
            beating: !config.is_disabled(),
            watched: !config.stall_after().is_zero(),
            muted: false,
            taken: Taken::Nothing,
        };
        let flight = Flight::new(NoObserver);
        Self { inner, alarm: AlarmOf::<P>::default(), flight, state, beat }
    }
}

impl<S, P, B, O> HeartbeatStream<S, P, B, O>
where
    S: Stream,
    P: Pacemaker,
    O: Audience,
{
    /// Tells `observer` what becomes of the heartbeats from now on (T19).
    pub fn observe<Q: Audience>(self, observer: Q) -> HeartbeatStream<S, P, B, Q> {
        let Self { inner, alarm, state, beat, flight: mut before } = self;
        let mut flight = Flight::new(observer);
        if let Some(beat) = before.memory.land() {
            flight.memory.take_off(|| beat);
        }
        if state.beating {
            flight.measure(|| state.pulse.now());
        }
        HeartbeatStream { inner, alarm, flight, state, beat }
    }

    /// Takes inner items for which `is_heartbeat` holds for somebody else's heartbeats, not for real
    /// events: they break the silence, but they do not keep a dead producer's stream alive (T12,
    /// T21).
    pub fn recognize<F>(self, is_heartbeat: F) -> HeartbeatStream<S, P, Recognize<B, F>, O>
    where
        F: FnMut(&S::Item) -> bool,
    {
        let Self { inner, alarm, state, beat, flight } = self;
        let beat = Recognize::new(beat, is_heartbeat);
        HeartbeatStream { inner, alarm, flight, state, beat }
    }

    /// Ends the heartbeats; inner items still pass. May be called again (T9).
    pub fn stop(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.flight.tell_stall();
        this.alarm.set(AlarmOf::<P>::default());
        this.state.end_beats();
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

impl<S, P, B, O> HeartbeatStream<S, P, B, O>
where
    P: Pacemaker,
    O: Observer,
{
    /// The observer that was given to [`observe`](Self::observe).
    pub fn observer(&self) -> &O {
        self.flight.telling.observer()
    }
}

impl<S, P, B, O> Stream for HeartbeatStream<S, P, B, O>
where
    S: Stream,
    P: Pacemaker,
    B: Beat<S::Item>,
    O: Audience,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let state = this.state;
        if state.taken >= Taken::Ours {
            if state.taken == Taken::End {
                return Poll::Ready(None);
            }
            this.flight.end(Outcome::Sent); // the consumer is back for more
            if state.watched && state.pulse.consumer_is_back() {
                this.flight.telling.stalled();
                state.end_beats();
            }
            state.taken = Taken::Heartbeat;
        }

        // Real items first, always, and they touch neither clock nor alarm (T16, T17).
        match this.inner.poll_next(cx) {
            Poll::Ready(Some(item)) => {
                match this.beat.kind(&item) {
                    Kind::Real => (state.taken, state.muted) = (Taken::Real, false),
                    Kind::Heartbeat => {
                        (state.taken, state.muted) = (Taken::Heartbeat.max(state.taken), false);
                    }
                    Kind::Failure => state.muted = true,
                }
                Poll::Ready(Some(item))
            }
            Poll::Ready(None) => {
                // Where there are no heartbeats the machine was told of no sends.
                if state.beating {
                    this.flight.measure(|| state.pulse.now());
                }
                state.taken = Taken::End;
                state.pulse.stop();
                this.alarm.set(AlarmOf::<P>::default());
                Poll::Ready(None)
            }
            Poll::Pending => state.poll_beat(this.alarm, this.beat, this.flight, cx).map(Some),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.state.taken == Taken::End {
            return (0, Some(0));
        }
        let (lower, upper) = self.inner.size_hint();
        (lower, upper.filter(|_| !self.state.beating)) // heartbeats have no bound
    }
}

impl<S, P, B, O> FusedStream for HeartbeatStream<S, P, B, O>
where
    S: Stream,
    P: Pacemaker,
    B: Beat<S::Item>,
    O: Audience,
{
    fn is_terminated(&self) -> bool {
        self.state.taken == Taken::End
    }
}

impl<S, P, B, O> fmt::Debug for HeartbeatStream<S, P, B, O>
where
    S: fmt::Debug,
    P: Pacemaker,
    P::Pulse: fmt::Debug,
    O: Audience,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatStream")
            .field("inner", &self.inner)
            .field("pulse", &self.state.pulse)
            .finish_non_exhaustive()
    }
}

impl<U: Pulse> State<U> {
    fn end_beats(&mut self) {
        self.pulse.stop();
        self.beating = false;
    }

    /// The inner stream has nothing ready: is a heartbeat due?
    // Apart from the way of an item, which is short enough to be inlined without it.
    #[inline(never)]
    fn poll_beat<B, Item, O>(
        &mut self,
        alarm: Pin<&mut U::Alarm>,
        beat: &mut B,
        flight: &mut Flight<O, U>,
        cx: &mut Context<'_>,
    ) -> Poll<Item>
    where
        B: Beat<Item>,
        O: Audience,
    {
        let held_back = self.muted || !beat.fits();
        let nothing_to_report = held_back && self.taken == Taken::Nothing;
        if nothing_to_report || !self.beating {
            return Poll::Pending;
        }

        let now = self.pulse.now();
        let news = match mem::replace(&mut self.taken, Taken::Nothing) {
            Taken::Real => News::Sent,
            Taken::Heartbeat => News::Bytes,
            Taken::Nothing | Taken::Ours | Taken::End => News::Nothing,
        };
        if news != News::Nothing {
            flight.measure(|| now);
        }
        if held_back {
            self.pulse.report(news, now);
            return Poll::Pending;
        }
        match ready!(self.pulse.poll_due(alarm, news, now, cx)) {
            Due::Heartbeat { late } => {
                let heartbeat = beat.heartbeat();
                flight.memory.take_off(|| InFlight {
                    late,
                    bytes: beat.bytes(&heartbeat),
                    witness: self.watched.then(|| self.pulse.witness()),
                });
                self.taken = Taken::Ours;
                return Poll::Ready(heartbeat);
            }
            Due::GaveUp => flight.telling.gave_up(),
            Due::Abandoned(error) => {
                flight.telling.abandoned(error);
                self.end_beats();
            }
        }
        Poll::Pending
    }
}

/// Tells of the heartbeats, each of which is in flight from when the consumer has taken it until it comes
/// back for more: that it did means that the heartbeat is out (T16). If it never does, nobody knows; but on a
/// hub it is known whether it stayed away for too long.
struct Flight<O: Audience, U: Pulse> {
    telling: Telling<O::Observer>,
    memory: O::Memory<U::Instant, U::Witness>,
}

impl<O: Audience, U: Pulse> Flight<O, U> {
    fn new(observer: O) -> Self {
        let telling = Telling::new(observer.into_observer());
        Self { telling, memory: O::Memory::default() }
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(InFlight { late, bytes, .. }) = self.memory.land() {
            self.telling.heartbeat(outcome, late, bytes);
        }
    }

    /// Tells that the consumer has stayed away with a heartbeat for too long, if it has (T20).
    fn tell_stall(&mut self) {
        if self.memory.witness().has_stalled() {
            self.telling.stalled();
        }
    }

    /// Tells the silence that ends now, if anybody listens.
    fn measure(&mut self, now: impl FnOnce() -> U::Instant) {
        if self.telling.is_enabled() {
            if let Some(lasted) = self.memory.silence(now()) {
                self.telling.silence(lasted);
            }
        }
    }
}

impl<O: Audience, U: Pulse> Drop for Flight<O, U> {
    fn drop(&mut self) {
        self.tell_stall();
        self.end(Outcome::Error);
    }
}
