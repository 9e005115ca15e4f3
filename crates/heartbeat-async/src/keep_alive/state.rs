use core::fmt;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use heartbeat_core::Config;
use pin_project_lite::pin_project;

use super::ItemKind;
use crate::observer::reporter::Reporter;
use crate::observer::telemetry::{InFlight, PendingReports, report_idle, sealed};
use crate::schedule::{Activity, Schedule, SleepOf, Verdict};
use crate::{NoObserver, Observed, Observer, Outcome, Scheduler, Telemetry};

pin_project! {
    /// The keep-alive of one stream or body: its schedule, its sleep, its telemetry, and what it yielded last.
    ///
    /// [`HeartbeatStream`](crate::HeartbeatStream) and the body of `heartbeat-http` contain it. Use it to write another
    /// wrapper, which calls in each poll:
    ///
    /// 1. [`on_polled`](Self::on_polled), and yields the end if that returns false;
    /// 2. [`on_item`](Self::on_item) if the inner stream has an item, or [`on_end`](Self::on_end) at its end;
    /// 3. [`poll_due`](Self::poll_due) if the inner stream has no item. If that is ready, the wrapper
    ///    yields a heartbeat.
    ///
    /// An item reads no clock and sets no sleep: see [T16](crate::rules#t16-lazy).
    ///
    /// # Cancellation
    ///
    /// If this is dropped after a heartbeat was yielded and before the consumer polls again, the heartbeat is reported as
    /// [`Outcome::Error`].
    pub struct KeepAlive<P: Scheduler, O: Telemetry = NoObserver> {
        #[pin]
        sleep: SleepOf<P>,
        state: State<P::Schedule, O>,
    }
}

struct State<S: Schedule, O: Telemetry> {
    reporter: Reporter<O::Observer>,
    pending: O::Pending<S::Instant>,
    last_yield: LastYield,
    /// The last item was an error, and no heartbeat may follow it (T17).
    after_error: bool,
    /// A consumer that does not poll again is reported as stalled (T20).
    stall_detection: bool,
    /// `None` once the heartbeats are disabled or stopped (T1, T9). Dropped last, after the reports.
    schedule: Option<S>,
}

/// What the consumer has taken since the last report to the schedule (T16). The values from `OwnHeartbeat` on are
/// handled at the beginning of the next poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LastYield {
    None,
    /// Heartbeats only, of this stream or of another source (T21).
    OtherHeartbeat,
    Event,
    /// A heartbeat of this stream, in flight until the consumer polls again.
    OwnHeartbeat,
    /// The end.
    End,
}

impl<P: Scheduler> KeepAlive<P> {
    /// The silence begins now. `config` is an interval or a [`Config`]; an interval of zero disables heartbeats.
    pub fn new(scheduler: P, config: impl Into<Config>) -> Self {
        let config = config.into();
        let state = State {
            reporter: Reporter::new(NoObserver),
            pending: <NoObserver as sealed::Telemetry>::Pending::<P::Instant>::default(),
            last_yield: LastYield::None,
            after_error: false,
            stall_detection: !config.stall_after().is_zero(),
            schedule: (!config.is_disabled()).then(|| scheduler.schedule(config)),
        };
        Self { sleep: SleepOf::<P>::default(), state }
    }
}

impl<P: Scheduler, O: Telemetry> KeepAlive<P, O> {
    /// Reports to `observer` from now on.
    pub fn with_observer<N: Observer>(self, observer: N) -> KeepAlive<P, Observed<N>> {
        self.with_telemetry(Observed::new(observer))
    }

    /// Like [`with_observer`](Self::with_observer), for code that is generic over whether there is an observer.
    pub fn with_telemetry<N: Telemetry>(self, telemetry: N) -> KeepAlive<P, N> {
        let Self { sleep, mut state } = self;
        let mut pending = <N as sealed::Telemetry>::Pending::default();
        let in_flight = state.pending.get().and_then(|old| old.in_flight.take());
        if let Some(pending) = pending.get() {
            pending.in_flight = in_flight;
        }
        let mut state = State::<_, N> {
            reporter: Reporter::new(telemetry.into_observer()),
            pending,
            last_yield: state.last_yield,
            after_error: state.after_error,
            stall_detection: state.stall_detection,
            schedule: state.schedule.take(),
        };
        state.report_idle();
        KeepAlive { sleep, state }
    }

    /// Reports that the consumer has polled: a heartbeat that it took before counts as sent. Returns false if the stream
    /// has ended.
    #[inline]
    #[must_use = "a stream that has ended must yield its end"]
    pub fn on_polled(self: Pin<&mut Self>) -> bool {
        let state = self.project().state;
        // One comparison, on the path of each item.
        state.last_yield < LastYield::OwnHeartbeat || state.on_polled_after_heartbeat()
    }

    /// Reports that the inner stream has yielded an item.
    #[inline]
    pub fn on_item(self: Pin<&mut Self>, kind: ItemKind) {
        let state = self.project().state;
        match kind {
            ItemKind::Event => (state.last_yield, state.after_error) = (LastYield::Event, false),
            ItemKind::Heartbeat => {
                state.last_yield = LastYield::OtherHeartbeat.max(state.last_yield);
                state.after_error = false;
            }
            ItemKind::Error => state.after_error = true,
        }
    }

    /// Reports that the inner stream has ended. No heartbeat follows.
    pub fn on_end(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.state.report_idle();
        this.state.last_yield = LastYield::End;
        this.state.schedule = None;
        this.sleep.set(SleepOf::<P>::default());
    }

    /// Reports that the inner stream has no item, and waits until a heartbeat is due.
    ///
    /// `at_boundary` is false while a heartbeat would be inside a message. The result is then pending.
    // Not inlined, so that the path of an item stays short enough to be inlined itself.
    #[inline(never)]
    pub fn poll_due(self: Pin<&mut Self>, at_boundary: bool, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let state = this.state;
        let blocked = state.after_error || !at_boundary;
        if blocked && state.last_yield == LastYield::None {
            return Poll::Pending; // nothing to report to the schedule
        }
        let Some(schedule) = &mut state.schedule else { return Poll::Pending };

        let now = schedule.now();
        let activity = match mem::replace(&mut state.last_yield, LastYield::None) {
            LastYield::Event => Activity::Event,
            LastYield::OtherHeartbeat => Activity::OtherBytes,
            LastYield::None | LastYield::OwnHeartbeat | LastYield::End => Activity::None,
        };
        if activity != Activity::None {
            report_idle(&mut state.pending, &state.reporter, now);
        }
        if blocked {
            schedule.report(activity, now);
            return Poll::Pending;
        }
        match ready!(schedule.poll_due(this.sleep, activity, now, cx)) {
            Verdict::SendHeartbeat { late } => {
                if let Some(pending) = state.pending.get() {
                    pending.in_flight = Some(InFlight { late, encoded_len: None });
                }
                state.last_yield = LastYield::OwnHeartbeat;
                return Poll::Ready(());
            }
            Verdict::GaveUp => state.reporter.gave_up(),
            Verdict::Detached(error) => {
                state.reporter.detached(error);
                state.schedule = None;
            }
        }
        Poll::Pending
    }

    /// Sets the size in bytes of the heartbeat that is yielded now, for the observer. Default: unknown.
    pub fn set_encoded_len(self: Pin<&mut Self>, encoded_len: Option<usize>) {
        let pending = self.project().state.pending.get();
        if let Some(in_flight) = pending.and_then(|pending| pending.in_flight.as_mut()) {
            in_flight.encoded_len = encoded_len;
        }
    }

    /// Stops the heartbeats. May be called again. See [T9](crate::rules#t9-stop).
    pub fn stop(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.state.report_stall();
        this.state.schedule = None;
        this.sleep.set(SleepOf::<P>::default());
    }

    /// Whether heartbeats may follow. False after [`stop`](Self::stop), and with an interval of zero.
    pub fn is_active(&self) -> bool {
        self.state.schedule.is_some()
    }

    /// Whether [`on_end`](Self::on_end) was called.
    #[inline]
    pub fn has_ended(&self) -> bool {
        self.state.last_yield == LastYield::End
    }
}

impl<P: Scheduler, O: Observer> KeepAlive<P, Observed<O>> {
    /// The observer.
    pub fn observer(&self) -> &O {
        self.state.reporter.observer()
    }
}

impl<P, O> fmt::Debug for KeepAlive<P, O>
where
    P: Scheduler,
    P::Schedule: fmt::Debug,
    O: Telemetry,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepAlive").field("schedule", &self.state.schedule).finish_non_exhaustive()
    }
}

impl<S: Schedule, O: Telemetry> State<S, O> {
    #[inline(never)]
    fn on_polled_after_heartbeat(&mut self) -> bool {
        if self.last_yield == LastYield::End {
            return false;
        }
        self.report_heartbeat(Outcome::Sent);
        if self.stall_detection && self.schedule.as_mut().is_some_and(S::on_consumer_polled) {
            self.reporter.stalled();
            self.schedule = None;
        }
        self.last_yield = LastYield::OtherHeartbeat;
        true
    }

    fn report_heartbeat(&mut self, outcome: Outcome) {
        let in_flight = self.pending.get().and_then(|pending| pending.in_flight.take());
        if let Some(InFlight { late, encoded_len }) = in_flight {
            self.reporter.heartbeat(outcome, late, encoded_len);
        }
    }

    /// Reports that the consumer has not polled for too long with a heartbeat in flight (T20).
    fn report_stall(&mut self) {
        let may_have_stalled = <O as sealed::Telemetry>::IS_OBSERVED
            && self.stall_detection
            && self.last_yield == LastYield::OwnHeartbeat;
        if may_have_stalled && self.schedule.as_ref().is_some_and(S::has_stalled) {
            self.reporter.stalled();
        }
    }

    /// Reports the idle time that ends now.
    fn report_idle(&mut self) {
        if let Some(schedule) = self.schedule.as_ref().filter(|_| self.reporter.is_enabled()) {
            report_idle(&mut self.pending, &self.reporter, schedule.now());
        }
    }
}

impl<S: Schedule, O: Telemetry> Drop for State<S, O> {
    fn drop(&mut self) {
        self.report_stall();
        self.report_heartbeat(Outcome::Error);
    }
}
