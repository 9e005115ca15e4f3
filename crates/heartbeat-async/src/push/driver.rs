use alloc::sync::{Arc, Weak};
use core::fmt;
use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::mem;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;

use event_listener::EventListener;
use futures_sink::Sink;
use heartbeat_core::{Action, Instant, Watchdog, WatchdogAction};

use super::line::{Awaits, Line, Senders, Shared};
use super::turn::{GivenBack, Turn};
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
    /// The sink failed with a heartbeat (T10), or with what a `send` that was dropped had left behind.
    Transport(E),
    /// The peer reads nothing any more: for as long as
    /// [`Config::with_stall_after`](crate::Config::with_stall_after) allows, a heartbeat could not be
    /// handed over (T20), or what there was could not be flushed at the end.
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
    /// Until something has changed, or the deadline has come.
    Rest(Option<I>),
    /// The same, or until it has the turn.
    Queue(Option<I>),
    /// The same, or until the sink may go on, which it was asked.
    AskAgain(Option<I>),
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
        Self { shared, senders, duty: Duty::new(NoObserver), sends: PhantomData }
    }

    /// Tells `observer` what becomes of the heartbeats (T19).
    pub fn observe<O: Observer>(self, observer: O) -> Driver<Item, Si, T, B, O> {
        let (shared, senders) = (self.shared, self.senders);
        Driver { shared, senders, duty: Duty::new(observer), sends: PhantomData }
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
        let mut turn = None;
        loop {
            // First, lest it miss what happens from here on.
            let changed = shared.changed.listen();
            let given_back = shared.turns.given_back();
            let mut line = shared.line().await;
            let step =
                poll_fn(|cx| Poll::Ready(self.step(&shared, &mut line, &mut turn, cx))).await?;
            drop(line);
            let (deadline, queues, asks_again) = match step {
                Step::Again => continue,
                Step::Rest(deadline) => (deadline, false, false),
                Step::Queue(deadline) => (deadline, true, false),
                Step::AskAgain(deadline) => (deadline, false, true),
                Step::End => return Ok(()),
            };
            // Real items go first while it waits (T6).
            if let Some(turn) = turn.take() {
                turn.give_back_quietly();
            }

            // An alarm that is set for an earlier instant goes off soon enough (T16).
            let anew = deadline.filter(|at| armed.is_none_or(|armed| *at < armed));
            if let Some(at) = anew {
                shared.timer.reset(alarm.as_mut(), at);
                armed = Some(at);
            }
            let wait = Wait {
                changed,
                given_back: asks_again.then_some(given_back),
                turn: pin!(queues.then(|| shared.turns.take())),
                alarm: alarm.as_mut().as_pin_mut().filter(|_| deadline.is_some()),
                alarm_is_new: anew.is_some(),
            };
            match wait.for_the_first().await {
                Woken::ByAlarm => armed = None,
                Woken::ByTurn(taken) => turn = Some(taken),
                Woken::Otherwise => {}
            }
        }
    }

    /// Does what is to be done now. The line is held, so that nothing comes between a question to the
    /// machine and what follows from its answer.
    fn step<'a>(
        &mut self,
        shared: &'a Shared<Si, T, B>,
        line: &mut Line<Si, T::Instant, B>,
        turn: &mut Option<Turn<'a>>,
        cx: &mut Context<'_>,
    ) -> Result<Step<T::Instant>, DriverError<Si::Error>> {
        let duty = &mut self.duty;
        if self.senders.strong_count() == 0 {
            line.stop(&shared.timer);
        }
        if line.take_failed() {
            duty.end_sent(Outcome::Error); // whoever met the failure keeps it; the heartbeat is lost
        }
        // What was handed over goes first: a heartbeat behind bytes that wait says nothing new. Who
        // has the turn sees to it, or says so when it does not.
        if !line.is_flushed() {
            if turn.is_none() {
                *turn = shared.turns.try_take();
            }
            if turn.is_some() {
                if let Poll::Ready(Err(error)) = line.poll_flush(cx, shared) {
                    return Err(duty.fail(line, shared, error));
                }
            }
        }
        let flushed = line.is_flushed();
        if flushed {
            duty.end_sent(Outcome::Sent);
        }
        duty.tell_silence(line);
        if duty.owed.is_some() && !line.heart.is_in_flight() {
            duty.owed = None;
            duty.telling.withdrawn(); // T6, T9
        }
        let wait = |deadline| match turn {
            _ if flushed => Step::Rest(deadline),
            Some(_) => Step::AskAgain(deadline),
            None => Step::Queue(deadline),
        };

        if line.heart.is_stopped() {
            if flushed {
                return Ok(Step::End);
            }
            return duty.watch_the_end(line, shared).map(wait);
        }
        if !line.beating {
            return Ok(wait(None)); // T1
        }
        if !line.fits::<Item>() {
            line.awaits = Awaits::Any; // within a message the machine is not asked
            return Ok(wait(None));
        }
        let now = shared.timer.now();
        let deadline = match line.heart.poll_deadline(now) {
            Action::SendHeartbeat { late } => {
                duty.owed = Some(Owed { late, asked: now });
                return Ok(Step::Again); // for what there is to say while it is in flight
            }
            Action::WaitUntil(deadline) => Some(deadline),
            Action::WaitForever => {
                if duty.owed.is_none() {
                    line.awaits = Awaits::Real;
                }
                None
            }
            Action::GiveUp => {
                duty.telling.gave_up();
                return Ok(Step::Again);
            }
            Action::Stalled => return Err(duty.stall(line, shared)),
            Action::Stopped => return Ok(Step::Again), // and out of there above
        };
        let Some(Owed { late, asked }) = duty.owed.filter(|_| flushed) else {
            return Ok(wait(deadline));
        };
        if turn.is_none() {
            *turn = shared.turns.try_take();
        }
        if turn.is_none() {
            return Ok(Step::Queue(deadline));
        }
        let handed_over = match line.poll_ready(cx) {
            Poll::Ready(Ok(())) => line.hand_over_heartbeat(shared),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => return Ok(Step::AskAgain(deadline)),
        };
        match handed_over {
            Ok((at, bytes)) => {
                let late = late.saturating_add(at.saturating_duration_since(asked));
                (duty.owed, duty.sent) = (None, Some(Sent { late, bytes }));
                Ok(Step::Again) // to flush it
            }
            Err(error) => Err(duty.fail(line, shared, error)),
        }
    }
}

impl<Item, Si, T: Timer, B, O: Observer> fmt::Debug for Driver<Item, Si, T, B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

/// What the driver waits for: the first of all.
struct Wait<'a, A, F> {
    changed: EventListener,
    /// The sink was asked. It wakes whoever asked it last, which may have been somebody else since, who
    /// has given the turn back without an answer.
    given_back: Option<GivenBack<'a>>,
    turn: Pin<&'a mut Option<F>>,
    alarm: Option<Pin<&'a mut A>>,
    /// The alarm was just set.
    alarm_is_new: bool,
}

enum Woken<'t> {
    ByAlarm,
    ByTurn(Turn<'t>),
    Otherwise,
}

impl<'t, A, F> Wait<'_, A, F>
where
    A: Future<Output = ()>,
    F: Future<Output = Turn<'t>>,
{
    async fn for_the_first(mut self) -> Woken<'t> {
        let (mut waited, mut gone_off) = (false, false);
        poll_fn(|cx| {
            if let Some(turn) = self.turn.as_mut().as_pin_mut() {
                if let Poll::Ready(turn) = turn.poll(cx) {
                    return Poll::Ready(Woken::ByTurn(turn));
                }
            }
            if !gone_off {
                let alarm = self.alarm.as_mut().map(|alarm| alarm.as_mut().poll(cx));
                gone_off = alarm.is_some_and(|polled| polled.is_ready());
                if gone_off && self.alarm_is_new && !waited {
                    // The moment that it was set: a broken timer, which must not spin here.
                    waited = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            if gone_off {
                return Poll::Ready(Woken::ByAlarm);
            }
            // If it was not the alarm that has woken the task, it may have been the sink.
            let asks = mem::replace(&mut waited, true) && self.given_back.is_some();
            let given_back = self.given_back.as_mut();
            let given_back = given_back.is_some_and(|given| Pin::new(given).poll(cx).is_ready());
            if asks || given_back || Pin::new(&mut self.changed).poll(cx).is_ready() {
                return Poll::Ready(Woken::Otherwise);
            }
            Poll::Pending
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
    /// The end has come, but for what is to be flushed: watches how long that takes (T20).
    ending: Option<Watchdog<I>>,
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
    fn fail<Si, T, B, E>(
        &mut self,
        line: &mut Line<Si, I, B>,
        shared: &Shared<Si, T, B>,
        error: E,
    ) -> DriverError<E>
    where
        T: Timer<Instant = I>,
    {
        self.end(line, shared);
        DriverError::Transport(error)
    }

    /// The peer does not read, and the heartbeats end (T20).
    fn stall<Si, T, B, E>(
        &mut self,
        line: &mut Line<Si, I, B>,
        shared: &Shared<Si, T, B>,
    ) -> DriverError<E>
    where
        T: Timer<Instant = I>,
    {
        self.telling.stalled();
        self.end(line, shared);
        DriverError::Stalled
    }

    fn end<Si, T, B>(&mut self, line: &mut Line<Si, I, B>, shared: &Shared<Si, T, B>)
    where
        T: Timer<Instant = I>,
    {
        line.stop(&shared.timer);
        self.tell_silence(line);
        self.give_in();
    }

    /// Nothing is left but to flush, which a peer that does not read must not draw out for ever (T20).
    /// Answers how long it may take.
    fn watch_the_end<Si, T, B, E>(
        &mut self,
        line: &mut Line<Si, I, B>,
        shared: &Shared<Si, T, B>,
    ) -> Result<Option<I>, DriverError<E>>
    where
        T: Timer<Instant = I>,
    {
        if shared.stall_after.is_zero() {
            return Ok(None);
        }
        let now = shared.timer.now();
        let dog = self.ending.get_or_insert_with(|| {
            Watchdog::new(shared.stall_after, now).with_granularity(shared.timer.granularity())
        });
        match dog.poll_deadline(now) {
            WatchdogAction::WaitUntil(deadline) => Ok(Some(deadline)),
            WatchdogAction::Expired => Err(self.stall(line, shared)),
            WatchdogAction::WaitForever | WatchdogAction::Stopped => Ok(None),
        }
    }

    /// Tells the longest silence that ended since this was last told.
    fn tell_silence<Si, B>(&self, line: &mut Line<Si, I, B>) {
        if let Some(silence) = line.take_silence() {
            self.telling.silence(silence);
        }
    }
}

impl<O: Observer, I> Duty<O, I> {
    fn new(observer: O) -> Self {
        Self { telling: Telling::new(observer), owed: None, sent: None, ending: None }
    }

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
