use crate::sync::{Arc, Weak};
use core::fmt;
use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::mem;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;

use event_listener::EventListener;
use futures_sink::Sink;
use heartbeat_core::{Action, Config, Instant};

use super::line::{Awaits, Line, Senders, Shared};
use super::turn::{GivenBack, Turn};
#[cfg(feature = "hub")]
use crate::HubError;
use crate::observer::reporter::Reporter;
use crate::observer::{NoObserver, Observed, Observer, Outcome, Telemetry};
use crate::schedule::{DetachReason, SinkSchedule};
use crate::{MakeHeartbeat, Scheduler};

/// Sends the heartbeats of a sink; made by [`heartbeat_sink`](crate::heartbeat_sink). It does nothing until it
/// [runs](Self::run).
#[must_use = "a driver does nothing until it runs"]
pub struct Driver<Item, Si, B, P: Scheduler, O: Telemetry = NoObserver> {
    shared: Arc<Shared<Si, P, B>>,
    senders: Weak<Senders>,
    duty: Duty<O, P::Instant>,
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
    /// The [`Hub`](crate::Hub) does not wake the driver any more, or never did.
    #[cfg(feature = "hub")]
    Hub(HubError),
}

impl<E> fmt::Display for DriverError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transport(_) => "the transport failed",
            Self::Stalled => "the peer does not read",
            #[cfg(feature = "hub")]
            Self::Hub(_) => "the hub does not serve this sink",
        })
    }
}

impl<E: core::error::Error + 'static> core::error::Error for DriverError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Transport(error) => Some(error),
            Self::Stalled => None,
            #[cfg(feature = "hub")]
            Self::Hub(error) => Some(error),
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

impl<Item, Si, B, P> Driver<Item, Si, B, P>
where
    Si: Sink<Item>,
    P: Scheduler,
    B: MakeHeartbeat<Item>,
{
    pub(super) fn new(shared: Arc<Shared<Si, P, B>>, senders: Weak<Senders>) -> Self {
        Self { shared, senders, duty: Duty::new(NoObserver), sends: PhantomData }
    }

    /// Tells `observer` what becomes of the heartbeats (T19).
    pub fn with_observer<O: Observer>(self, observer: O) -> Driver<Item, Si, B, P, Observed<O>> {
        let (shared, senders) = (self.shared, self.senders);
        Driver { shared, senders, duty: Duty::new(Observed::new(observer)), sends: PhantomData }
    }
}

impl<Item, Si, B, P, O> Driver<Item, Si, B, P, O>
where
    Si: Sink<Item>,
    P: Scheduler,
    B: MakeHeartbeat<Item>,
    O: Telemetry,
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
        let _last = Last(&shared);
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
            let (deadline, queues, asks_again) = match step {
                Step::Again => continue,
                Step::Rest(deadline) => (deadline, false, false),
                Step::Queue(deadline) => (deadline, true, false),
                Step::AskAgain(deadline) => (deadline, false, true),
                Step::End => return Ok(()),
            };
            // An alarm that is set for an earlier instant goes off soon enough (T16).
            let anew = deadline.filter(|at| armed.is_none_or(|armed| *at < armed));
            if let Some(at) = anew {
                line.schedule.set(alarm.as_mut(), at);
                armed = Some(at);
            }
            drop(line);
            // Real items go first while it waits (T6).
            if let Some(turn) = turn.take() {
                turn.give_back_quietly();
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
        shared: &'a Shared<Si, P, B>,
        line: &mut Line<Si, P::SinkSchedule, B>,
        turn: &mut Option<Turn<'a>>,
        cx: &mut Context<'_>,
    ) -> Result<Step<P::Instant>, DriverError<Si::Error>> {
        let duty = &mut self.duty;
        if self.senders.strong_count() == 0 {
            line.stop();
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
                if let Poll::Ready(Err(error)) = line.poll_flush(cx) {
                    return Err(duty.fail(line, error));
                }
            }
        }
        let flushed = line.is_flushed();
        if flushed {
            duty.end_sent(Outcome::Sent);
        }
        duty.tell_silence(line);
        if duty.owed.is_some() && !line.schedule.is_in_flight() {
            duty.owed = None;
            duty.reporter.cancelled(); // T6, T9
        }
        let wait = |deadline| match turn {
            _ if flushed => Step::Rest(deadline),
            Some(_) => Step::AskAgain(deadline),
            None => Step::Queue(deadline),
        };

        if line.stopped {
            if flushed {
                return Ok(Step::End);
            }
            return duty.watch_the_end(line, shared.stall_after, cx).map(wait);
        }
        if !line.beating {
            return Ok(wait(None)); // T1
        }
        if !line.fits::<Item>() {
            line.awaits = Awaits::Any; // within a message the machine is not asked
            return Ok(wait(None));
        }
        let now = line.schedule.now();
        let action = match line.schedule.poll_deadline(now, cx) {
            Ok(action) => action,
            Err(error) => return Err(duty.abandon(line, error)),
        };
        let deadline = match action {
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
                duty.reporter.gave_up();
                return Ok(Step::Again);
            }
            Action::Stalled => return Err(duty.stall(line)),
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
            Poll::Ready(Ok(())) => line.hand_over_heartbeat(),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => return Ok(Step::AskAgain(deadline)),
        };
        match handed_over {
            Ok((at, bytes)) => {
                let late = late.saturating_add(at.saturating_duration_since(asked));
                (duty.owed, duty.sent) = (None, Some(Sent { late, bytes }));
                Ok(Step::Again) // to flush it
            }
            Err(error) => Err(duty.fail(line, error)),
        }
    }
}

impl<Item, Si, B, P: Scheduler, O: Telemetry> fmt::Debug for Driver<Item, Si, B, P, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

/// Ends the heartbeats with the driver, however that ends: nobody asks for them any more. If a sender has
/// the line just then, its schedule goes on until the last sender is gone, and no harm is done.
struct Last<'a, Si, P: Scheduler, B>(&'a Shared<Si, P, B>);

impl<Si, P: Scheduler, B> Drop for Last<'_, Si, P, B> {
    fn drop(&mut self) {
        if let Some(mut line) = self.0.try_line() {
            line.stop();
            line.schedule.stop(); // which may watch the end
        }
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
struct Duty<O: Telemetry, I> {
    reporter: Reporter<O::Observer>,
    /// A heartbeat that was asked for, and not handed over.
    owed: Option<Owed<I>>,
    /// A heartbeat that was handed over, and not flushed.
    sent: Option<Sent>,
    /// The end has come, but for what is to be flushed: the schedule watches how long that takes (T20).
    ending: bool,
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

impl<O: Telemetry, I: Instant> Duty<O, I> {
    /// The sink has failed, and the heartbeats end (T10).
    fn fail<Si, U, B, E>(&mut self, line: &mut Line<Si, U, B>, error: E) -> DriverError<E>
    where
        U: SinkSchedule<Instant = I>,
    {
        self.end(line);
        DriverError::Transport(error)
    }

    /// The peer does not read, and the heartbeats end (T20).
    fn stall<Si, U, B, E>(&mut self, line: &mut Line<Si, U, B>) -> DriverError<E>
    where
        U: SinkSchedule<Instant = I>,
    {
        self.reporter.stalled();
        self.end(line);
        DriverError::Stalled
    }

    /// The hub does not serve this sink, and the heartbeats end.
    fn abandon<Si, U, B, E>(
        &mut self,
        line: &mut Line<Si, U, B>,
        error: DetachReason,
    ) -> DriverError<E>
    where
        U: SinkSchedule<Instant = I>,
    {
        self.reporter.detached(error);
        self.end(line);
        #[cfg(feature = "hub")]
        return DriverError::Hub(error);
        #[cfg(not(feature = "hub"))]
        match error {}
    }

    fn end<Si, U, B>(&mut self, line: &mut Line<Si, U, B>)
    where
        U: SinkSchedule<Instant = I>,
    {
        line.stop();
        line.schedule.stop(); // which may watch the end
        self.tell_silence(line);
        self.give_in();
    }

    /// Nothing is left but to flush, which a peer that does not read must not draw out for ever (T20).
    /// Answers how long it may take.
    fn watch_the_end<Si, U, B, E>(
        &mut self,
        line: &mut Line<Si, U, B>,
        stall_after: Duration,
        cx: &mut Context<'_>,
    ) -> Result<Option<I>, DriverError<E>>
    where
        U: SinkSchedule<Instant = I>,
    {
        if stall_after.is_zero() {
            return Ok(None);
        }
        if !mem::replace(&mut self.ending, true) {
            line.schedule.restart(Config::every(Duration::MAX).with_give_up_after(stall_after));
        }
        match line.schedule.poll_deadline(line.schedule.now(), cx) {
            Ok(Action::WaitUntil(deadline)) => Ok(Some(deadline)),
            Ok(Action::GiveUp) => Err(self.stall(line)),
            Ok(_) => Ok(None),
            Err(error) => Err(self.abandon(line, error)),
        }
    }

    /// Tells the longest silence that ended since this was last told.
    fn tell_silence<Si, U, B>(&self, line: &mut Line<Si, U, B>)
    where
        U: SinkSchedule<Instant = I>,
    {
        if let Some(silence) = line.take_silence() {
            self.reporter.idle(silence);
        }
    }
}

impl<O: Telemetry, I> Duty<O, I> {
    fn new(observer: O) -> Self {
        Self {
            reporter: Reporter::new(observer.into_observer()),
            owed: None,
            sent: None,
            ending: false,
        }
    }

    fn end_sent(&mut self, outcome: Outcome) {
        if let Some(Sent { late, bytes }) = self.sent.take() {
            self.reporter.heartbeat(outcome, late, bytes);
        }
    }

    /// Nobody sees to the heartbeats any more.
    fn give_in(&mut self) {
        self.end_sent(Outcome::Error);
        if let Some(Owed { late, .. }) = self.owed.take() {
            self.reporter.heartbeat(Outcome::Error, late, None);
        }
    }
}

impl<O: Telemetry, I> Drop for Duty<O, I> {
    fn drop(&mut self) {
        self.give_in();
    }
}
