use core::fmt;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use heartbeat_core::Config;
use pin_project_lite::pin_project;

use crate::keep_alive::{Classify, ItemKind, MakeHeartbeat};
use crate::observer::reporter::Reporter;
use crate::observer::telemetry::{Audience, InFlight, Memory};
use crate::observer::{NoObserver, Observer, Outcome};
use crate::schedule::{Activity, Schedule, Scheduler, SleepOf, Verdict, Witness};

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
    /// have [stalled](Observer::on_stall) with it. Nothing else is lost: items are never kept back.
    #[must_use = "streams do nothing unless polled"]
    pub struct HeartbeatStream<S, B, P, O = NoObserver>
    where
        P: Scheduler,
        O: Audience,
    {
        #[pin]
        inner: S,
        #[pin]
        alarm: SleepOf<P>,
        // Dropped before the schedule, which knows why the consumer has not come back.
        flight: Flight<O, P::Schedule>,
        state: State<P::Schedule>,
        beat: B,
    }
}

/// When the next heartbeat is due, and what there is to know for it.
struct State<U> {
    schedule: U,
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

impl<S, B, P> HeartbeatStream<S, B, P>
where
    S: Stream,
    P: Scheduler,
    B: MakeHeartbeat<S::Item>,
{
    /// Wraps a stream. Its silence begins now (T2).
    ///
    /// `config` is an interval or a whole [`Config`]; `beat` makes the heartbeats, in the simplest
    /// case a closure. For a stream of `Result` wrap it in [`MakeOk`](crate::MakeOk), which knows
    /// that an `Err` is no send (T17).
    pub fn new(inner: S, scheduler: P, config: impl Into<Config>, beat: B) -> Self {
        let config = config.into();
        let state = State {
            schedule: scheduler.schedule(config),
            beating: !config.is_disabled(),
            watched: !config.stall_after().is_zero(),
            muted: false,
            taken: Taken::Nothing,
        };
        let flight = Flight::new(NoObserver);
        Self { inner, alarm: SleepOf::<P>::default(), flight, state, beat }
    }
}

impl<S, B, P, O> HeartbeatStream<S, B, P, O>
where
    S: Stream,
    P: Scheduler,
    O: Audience,
{
    /// Tells `observer` what becomes of the heartbeats from now on (T19).
    pub fn with_observer<Q: Audience>(self, observer: Q) -> HeartbeatStream<S, B, P, Q> {
        let Self { inner, alarm, state, beat, flight: mut before } = self;
        let mut flight = Flight::new(observer);
        if let Some(beat) = before.memory.land() {
            flight.memory.take_off(|| beat);
        }
        if state.beating {
            flight.measure(|| state.schedule.now());
        }
        HeartbeatStream { inner, alarm, flight, state, beat }
    }

    /// Takes inner items for which `is_heartbeat` holds for somebody else's heartbeats, not for real
    /// events: they break the silence, but they do not keep a dead producer's stream alive (T12,
    /// T21).
    pub fn treat_as_heartbeat<F>(self, is_heartbeat: F) -> HeartbeatStream<S, Classify<B, F>, P, O>
    where
        F: FnMut(&S::Item) -> bool,
    {
        let Self { inner, alarm, state, beat, flight } = self;
        let beat = Classify::new(beat, is_heartbeat);
        HeartbeatStream { inner, alarm, flight, state, beat }
    }

    /// Ends the heartbeats; inner items still pass. May be called again (T9).
    pub fn stop(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.flight.tell_stall();
        this.alarm.set(SleepOf::<P>::default());
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

impl<S, B, P, O> HeartbeatStream<S, B, P, O>
where
    P: Scheduler,
    O: Observer,
{
    /// The observer that was given to [`with_observer`](Self::with_observer).
    pub fn observer(&self) -> &O {
        self.flight.reporter.observer()
    }
}

impl<S, B, P, O> Stream for HeartbeatStream<S, B, P, O>
where
    S: Stream,
    P: Scheduler,
    B: MakeHeartbeat<S::Item>,
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
            if state.watched && state.schedule.consumer_is_back() {
                this.flight.reporter.stalled();
                state.end_beats();
            }
            state.taken = Taken::Heartbeat;
        }

        // Real items first, always, and they touch neither clock nor alarm (T16, T17).
        match this.inner.poll_next(cx) {
            Poll::Ready(Some(item)) => {
                match this.beat.classify(&item) {
                    ItemKind::Event => (state.taken, state.muted) = (Taken::Real, false),
                    ItemKind::Heartbeat => {
                        (state.taken, state.muted) = (Taken::Heartbeat.max(state.taken), false);
                    }
                    ItemKind::Error => state.muted = true,
                }
                Poll::Ready(Some(item))
            }
            Poll::Ready(None) => {
                // Where there are no heartbeats the machine was told of no sends.
                if state.beating {
                    this.flight.measure(|| state.schedule.now());
                }
                state.taken = Taken::End;
                state.schedule.stop();
                this.alarm.set(SleepOf::<P>::default());
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

impl<S, B, P, O> FusedStream for HeartbeatStream<S, B, P, O>
where
    S: Stream,
    P: Scheduler,
    B: MakeHeartbeat<S::Item>,
    O: Audience,
{
    fn is_terminated(&self) -> bool {
        self.state.taken == Taken::End
    }
}

impl<S, B, P, O> fmt::Debug for HeartbeatStream<S, B, P, O>
where
    S: fmt::Debug,
    P: Scheduler,
    P::Schedule: fmt::Debug,
    O: Audience,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatStream")
            .field("inner", &self.inner)
            .field("schedule", &self.state.schedule)
            .finish_non_exhaustive()
    }
}

impl<U: Schedule> State<U> {
    fn end_beats(&mut self) {
        self.schedule.stop();
        self.beating = false;
    }

    /// The inner stream has nothing ready: is a heartbeat due?
    // Apart from the way of an item, which is short enough to be inlined without it.
    #[inline(never)]
    fn poll_beat<B, Item, O>(
        &mut self,
        alarm: Pin<&mut U::Sleep>,
        beat: &mut B,
        flight: &mut Flight<O, U>,
        cx: &mut Context<'_>,
    ) -> Poll<Item>
    where
        B: MakeHeartbeat<Item>,
        O: Audience,
    {
        let held_back = self.muted || !beat.at_boundary();
        let nothing_to_report = held_back && self.taken == Taken::Nothing;
        if nothing_to_report || !self.beating {
            return Poll::Pending;
        }

        let now = self.schedule.now();
        let news = match mem::replace(&mut self.taken, Taken::Nothing) {
            Taken::Real => Activity::Event,
            Taken::Heartbeat => Activity::OtherBytes,
            Taken::Nothing | Taken::Ours | Taken::End => Activity::None,
        };
        if news != Activity::None {
            flight.measure(|| now);
        }
        if held_back {
            self.schedule.report(news, now);
            return Poll::Pending;
        }
        match ready!(self.schedule.poll_due(alarm, news, now, cx)) {
            Verdict::SendHeartbeat { late } => {
                let heartbeat = beat.make();
                flight.memory.take_off(|| InFlight {
                    late,
                    bytes: beat.encoded_len(&heartbeat),
                    witness: self.watched.then(|| self.schedule.witness()),
                });
                self.taken = Taken::Ours;
                return Poll::Ready(heartbeat);
            }
            Verdict::GaveUp => flight.reporter.gave_up(),
            Verdict::Detached(error) => {
                flight.reporter.abandoned(error);
                self.end_beats();
            }
        }
        Poll::Pending
    }
}

/// Tells of the heartbeats, each of which is in flight from when the consumer has taken it until it comes
/// back for more: that it did means that the heartbeat is out (T16). If it never does, nobody knows; but on a
/// hub it is known whether it stayed away for too long.
struct Flight<O: Audience, U: Schedule> {
    reporter: Reporter<O::Observer>,
    memory: O::Memory<U::Instant, U::Witness>,
}

impl<O: Audience, U: Schedule> Flight<O, U> {
    fn new(observer: O) -> Self {
        let reporter = Reporter::new(observer.into_observer());
        Self { reporter, memory: O::Memory::default() }
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(InFlight { late, bytes, .. }) = self.memory.land() {
            self.reporter.heartbeat(outcome, late, bytes);
        }
    }

    /// Tells that the consumer has stayed away with a heartbeat for too long, if it has (T20).
    fn tell_stall(&mut self) {
        if self.memory.witness().has_stalled() {
            self.reporter.stalled();
        }
    }

    /// Tells the silence that ends now, if anybody listens.
    fn measure(&mut self, now: impl FnOnce() -> U::Instant) {
        if self.reporter.is_enabled() {
            if let Some(lasted) = self.memory.silence(now()) {
                self.reporter.silence(lasted);
            }
        }
    }
}

impl<O: Audience, U: Schedule> Drop for Flight<O, U> {
    fn drop(&mut self) {
        self.tell_stall();
        self.end(Outcome::Error);
    }
}
