use alloc::sync::{Arc, Weak};
use core::fmt;
use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::mem;
use core::pin::{Pin, pin};
use core::task::Poll;
use core::time::Duration;

use event_listener::EventListener;
use futures_sink::Sink;
use heartbeat_core::{Action, Instant};

use super::line::{Line, Senders, Shared};
use crate::observer::{NoObserver, Observer, Outcome};
use crate::telling::Telling;
use crate::{Beat, Timer};

/// Sends the heartbeats of a sink; made by [`push`](crate::push()). It does nothing until it
/// [runs](Self::run).
#[must_use = "a driver does nothing until it runs"]
pub struct Driver<Item, Si, T: Timer, B, O: Observer = NoObserver> {
    shared: Arc<Shared<Si, T, B>>,
    senders: Weak<Senders>,
    duty: Duty<O, T::Instant>,
    sends: PhantomData<fn() -> Item>,
}

/// Why a [`Driver`] ended before its time. Its senders go on, without heartbeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DriverError<E> {
    /// The sink failed with a heartbeat (T10). Whoever sends next meets the same failure.
    Transport(E),
    /// The peer reads nothing any more: a heartbeat could not be handed over for as long as
    /// [`Config::with_stall_after`](crate::Config::with_stall_after) allows (T20).
    Stalled,
}

impl<E> fmt::Display for DriverError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transport(_) => "the transport failed",
            Self::Stalled => "the peer does not read",
        })
    }
}

impl<E: core::error::Error + 'static> core::error::Error for DriverError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Transport(error) => Some(error),
            Self::Stalled => None,
        }
    }
}

/// What the driver waits for next.
enum Step<I> {
    /// For nothing: there may be more to do.
    Again,
    /// For the first of these, or until something has changed.
    Wait { deadline: Option<I>, for_sink: bool, for_turn: bool },
    /// It is over.
    End,
}

impl<Item, Si, T, B> Driver<Item, Si, T, B>
where
    Si: Sink<Item>,
    T: Timer,
    B: Beat<Item>,
{
    pub(super) fn new(shared: Arc<Shared<Si, T, B>>, senders: Weak<Senders>) -> Self {
        let duty = Duty { telling: Telling::new(NoObserver), owed: None, sent: None };
        Self { shared, senders, duty, sends: PhantomData }
    }

    /// Tells `observer` what becomes of the heartbeats (T19).
    pub fn observe<O: Observer>(self, observer: O) -> Driver<Item, Si, T, B, O> {
        let duty = Duty { telling: Telling::new(observer), owed: None, sent: None };
        Driver { shared: self.shared, senders: self.senders, duty, sends: PhantomData }
    }
}

impl<Item, Si, T, B, O> Driver<Item, Si, T, B, O>
where
    Si: Sink<Item>,
    T: Timer,
    B: Beat<Item>,
    O: Observer,
{
    /// Sends a heartbeat whenever nothing was handed over for an interval, until it is
    /// [stopped](crate::Sender::stop), the sink is [closed](crate::Sender::close), or every sender is
    /// gone. What was handed over is flushed then.
    ///
    /// # Errors
    ///
    /// [`DriverError::Transport`] if the sink fails, [`DriverError::Stalled`] if the peer does not
    /// read. The senders work on without heartbeats.
    ///
    /// # Cancellation
    ///
    /// Dropping it ends the heartbeats; one that was not out counts as [`Outcome::Error`].
    pub async fn run(mut self) -> Result<(), DriverError<Si::Error>> {
        let shared = Arc::clone(&self.shared);
        let mut alarm = pin!(None);
        let mut armed = None;
        loop {
            let changed = shared.signals.changed.listen();
            let ready = shared.signals.ready.listen();
            let step = self.step(&mut *shared.line().await)?;
            let Step::Wait { deadline, for_sink, for_turn } = step else {
                if matches!(step, Step::End) {
                    return Ok(());
                }
                continue;
            };
            // An alarm that is set for an earlier instant goes off soon enough (T16).
            let anew = deadline.filter(|at| armed.is_none_or(|armed| *at < armed));
            if let Some(at) = anew {
                shared.timer.reset(alarm.as_mut(), at);
                armed = Some(at);
            }
            let wait = Wait {
                changed,
                ready: for_sink.then_some(ready),
                turn: pin!(for_turn.then(|| shared.turn.lock())),
                alarm: alarm.as_mut().as_pin_mut().filter(|_| deadline.is_some()),
                anew: anew.is_some(),
            };
            if wait.for_the_first().await == Woken::ByAlarm {
                armed = None;
            }
        }
    }

    /// Does what is to be done now. The line is held, so that nothing comes between a question to the
    /// machine and what follows from its answer.
    fn step(
        &mut self,
        line: &mut Line<Si, T::Instant, B>,
    ) -> Result<Step<T::Instant>, DriverError<Si::Error>> {
        let (shared, duty) = (&*self.shared, &mut self.duty);
        let now = shared.timer.now();
        if self.senders.strong_count() == 0 {
            line.stop(now);
        }
        // What was handed over goes first: a heartbeat behind bytes that wait says nothing new.
        if let Poll::Ready(Err(error)) = line.poll_flush(shared) {
            return Err(duty.fail(line, now, error));
        }
        let flushed = line.is_flushed();
        if flushed {
            duty.end_sent(Outcome::Sent);
        }
        duty.tell_silence(line);
        if duty.owed.is_some() && !line.heart.is_in_flight() {
            duty.owed = None;
            if !line.heart.is_stopped() {
                duty.telling.withdrawn(); // T6
            }
        }

        let deadline = match line.heart.poll_deadline(now) {
            Action::SendHeartbeat { late } => {
                duty.owed = Some(Owed { late, asked: now });
                return Ok(Step::Again); // for what there is to say while it is in flight
            }
            Action::WaitUntil(deadline) => Some(deadline),
            Action::WaitForever => {
                line.resting = true;
                None
            }
            Action::GiveUp => {
                duty.telling.gave_up();
                return Ok(Step::Again);
            }
            Action::Stalled => {
                line.stop(now);
                duty.tell_silence(line);
                duty.telling.stalled();
                duty.give_in();
                return Err(DriverError::Stalled);
            }
            Action::Stopped if flushed => return Ok(Step::End),
            Action::Stopped => None,
        };
        let Some(Owed { late, asked }) = duty.owed.filter(|_| flushed) else {
            return Ok(Step::Wait { deadline, for_sink: !flushed, for_turn: false });
        };
        let Some(_turn) = shared.turn.try_lock() else {
            return Ok(Step::Wait { deadline, for_sink: false, for_turn: true });
        };
        let handed_over = match line.sink.as_mut().poll_ready(&mut shared.context()) {
            Poll::Ready(Ok(())) => line.hand_over_heartbeat(shared),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => return Ok(Step::Wait { deadline, for_sink: true, for_turn: false }),
        };
        match handed_over {
            Ok((at, bytes)) => {
                let late = late.saturating_add(at.saturating_duration_since(asked));
                (duty.owed, duty.sent) = (None, Some(Sent { late, bytes }));
                Ok(Step::Again) // to flush it
            }
            Err(error) => Err(duty.fail(line, now, error)),
        }
    }
}

impl<Item, Si, T: Timer, B, O: Observer> fmt::Debug for Driver<Item, Si, T, B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

/// What the driver waits for: the first of all.
struct Wait<'a, S, L> {
    changed: EventListener,
    ready: Option<EventListener>,
    turn: Pin<&'a mut Option<L>>,
    alarm: Option<Pin<&'a mut S>>,
    /// The alarm was just set.
    anew: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    ByAlarm,
    Otherwise,
}

impl<S: Future<Output = ()>, L: Future> Wait<'_, S, L> {
    async fn for_the_first(mut self) -> Woken {
        let mut gone_off = false;
        poll_fn(|cx| {
            let ready =
                self.ready.as_mut().is_some_and(|ready| Pin::new(ready).poll(cx).is_ready());
            let turn = self.turn.as_mut().as_pin_mut();
            let turn = turn.is_some_and(|turn| turn.poll(cx).is_ready());
            if ready || turn || Pin::new(&mut self.changed).poll(cx).is_ready() {
                return Poll::Ready(if gone_off { Woken::ByAlarm } else { Woken::Otherwise });
            }
            if !gone_off {
                let alarm = self.alarm.as_mut().map(|alarm| alarm.as_mut().poll(cx));
                gone_off = alarm.is_some_and(|polled| polled.is_ready());
                if gone_off && mem::take(&mut self.anew) {
                    // The moment that it was set: a broken timer, which must not spin here.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            if gone_off { Poll::Ready(Woken::ByAlarm) } else { Poll::Pending }
        })
        .await
    }
}

/// What the driver owes: to the peer, and to the observer.
struct Duty<O: Observer, I> {
    telling: Telling<O>,
    /// A heartbeat that was asked for, and not handed over.
    owed: Option<Owed<I>>,
    /// A heartbeat that was handed over, and not flushed.
    sent: Option<Sent>,
}

#[derive(Debug, Clone, Copy)]
struct Owed<I> {
    late: Duration,
    asked: I,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    late: Duration,
    bytes: Option<usize>,
}

impl<O: Observer, I: Instant> Duty<O, I> {
    /// The sink has failed, and the heartbeats end (T10).
    fn fail<Si, B, E>(&mut self, line: &mut Line<Si, I, B>, now: I, error: E) -> DriverError<E> {
        line.stop(now);
        self.tell_silence(line);
        self.give_in();
        DriverError::Transport(error)
    }

    /// Tells the longest silence that ended since this was last told.
    fn tell_silence<Si, B>(&self, line: &mut Line<Si, I, B>) {
        if let Some(silence) = line.take_silence() {
            self.telling.silence(silence);
        }
    }
}

impl<O: Observer, I> Duty<O, I> {
    fn end_sent(&mut self, outcome: Outcome) {
        if let Some(Sent { late, bytes }) = self.sent.take() {
            self.telling.heartbeat(outcome, late, bytes);
        }
    }

    /// Nobody sees to the heartbeats any more.
    fn give_in(&mut self) {
        self.end_sent(Outcome::Error);
        if let Some(Owed { late, .. }) = self.owed.take() {
            self.telling.heartbeat(Outcome::Error, late, None);
        }
    }
}

impl<O: Observer, I> Drop for Duty<O, I> {
    fn drop(&mut self) {
        self.give_in();
    }
}
