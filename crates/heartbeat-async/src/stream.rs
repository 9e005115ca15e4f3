use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;
use heartbeat_core::{Action, Config, Heartbeat};
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
    state: State,
    /// What the consumer has taken since the clock was last read (T16).
    taken: Taken,
    /// The last item was a failure, and no heartbeat may follow it (T17).
    muted: bool,
    /// The alarm is set for a deadline, at which it will be asked whether that still holds (T16).
    armed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Beating,
    /// Disabled or stopped: items pass, and that is all (T1, T9).
    PassingThrough,
    /// The inner stream has ended and is not polled again.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    Nothing,
    /// Heartbeats only, ours or somebody else's (T21).
    Heartbeat,
    Real,
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
        let state = if config.is_disabled() { State::PassingThrough } else { State::Beating };
        let pace = Pace {
            heart: Heartbeat::new(&config, timer.now()).with_granularity(timer.granularity()),
            timer,
            state,
            taken: Taken::Nothing,
            muted: false,
            armed: false,
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
        this.pace.heart.stop();
        if this.pace.state == State::Beating {
            this.pace.state = State::PassingThrough;
        }
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

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let pace = this.pace;
        if pace.state == State::Done {
            return Poll::Ready(None);
        }
        if this.flight.landed() {
            pace.taken = Taken::Heartbeat.max(pace.taken);
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
                return Poll::Ready(Some(item));
            }
            Poll::Ready(None) => {
                if this.flight.observer.is_enabled() {
                    this.flight.observer.silence(pace.heart.silence(pace.timer.now()));
                }
                pace.state = State::Done;
                this.alarm.set(None);
                return Poll::Ready(None);
            }
            Poll::Pending => {}
        }
        let nothing_to_report = pace.muted && pace.taken == Taken::Nothing;
        if nothing_to_report || pace.state == State::PassingThrough {
            return Poll::Pending;
        }

        let mut now = pace.timer.now();
        if pace.taken != Taken::Nothing && this.flight.observer.is_enabled() {
            this.flight.observer.silence(pace.heart.silence(now));
        }
        match mem::replace(&mut pace.taken, Taken::Nothing) {
            Taken::Nothing => {}
            Taken::Heartbeat => pace.heart.on_heartbeat_sent(now),
            Taken::Real => pace.heart.on_send(now),
        }
        if pace.muted {
            return Poll::Pending;
        }

        // The machine decides by the clock; the alarm only wakes us to ask it again.
        let mut rearmed = false;
        loop {
            let deadline = match pace.heart.poll_deadline(now) {
                Action::WaitUntil(deadline) => deadline,
                Action::SendHeartbeat { late } => {
                    let heartbeat = this.beat.heartbeat();
                    let bytes = this.beat.bytes(&heartbeat);
                    this.flight.beat = Some(InFlight { late, bytes });
                    pace.armed = false; // the next deadline has nothing to do with this one
                    return Poll::Ready(Some(heartbeat));
                }
                Action::GiveUp => {
                    this.flight.observer.gave_up();
                    return Poll::Pending; // only a real event changes that (T12)
                }
                // The last two are for others: who stopped is passing through, and who is asked
                // while a heartbeat is in flight is a push side.
                Action::WaitForever | Action::Stopped | Action::Stalled => return Poll::Pending,
            };
            // Deadlines only ever move later while the alarm is set: it goes off soon enough (T16).
            if !pace.armed {
                if rearmed {
                    // It went off the moment it was set: a broken timer, which must not spin here.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                pace.timer.reset(this.alarm.as_mut(), deadline);
                (pace.armed, rearmed) = (true, true);
            }
            if let Some(alarm) = this.alarm.as_mut().as_pin_mut() {
                ready!(alarm.poll(cx));
            }
            pace.armed = false;
            now = pace.timer.now();
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self.pace.state {
            State::Beating => (self.inner.size_hint().0, None), // heartbeats have no bound
            State::PassingThrough => self.inner.size_hint(),
            State::Done => (0, Some(0)),
        }
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
        self.pace.state == State::Done
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
            .field("state", &self.pace.state)
            .finish_non_exhaustive()
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
    /// Whether there was one, which is now sent.
    fn landed(&mut self) -> bool {
        self.end(Outcome::Sent)
    }

    fn end(&mut self, outcome: Outcome) -> bool {
        let Some(InFlight { late, bytes }) = self.beat.take() else { return false };
        self.observer.heartbeat(outcome, late, bytes);
        true
    }
}

impl<O: Observer> Drop for Flight<O> {
    fn drop(&mut self) {
        self.end(Outcome::Error);
    }
}
