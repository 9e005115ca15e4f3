//! The sink, its schedule, and whether its items are flushed.

use alloc::boxed::Box;
use core::marker::PhantomData;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use futures_sink::Sink;
use heartbeat_core::Config;

use crate::schedule::{Activity, SinkSchedule};
use crate::{ItemKind, MakeHeartbeat, Scheduler};

/// The sink and its schedule. Senders and driver use it one at a time.
pub(super) struct SinkState<Item, Si, U, B> {
    sink: Pin<Box<Si>>,
    pub(super) schedule: U,
    heartbeat: B,
    pub(super) phase: SinkPhase,
    /// How long the last flush may take (T18).
    pub(super) last_flush: Duration,
    flush: FlushState,
    /// The sink has failed since the driver last looked.
    pub(super) failed: bool,
    /// What the last item was: no heartbeat may follow an error (T17).
    last_kind: ItemKind,
    pub(super) wake_driver_on: WakeDriverOn,
    /// An item was sent that the driver waits for.
    pub(super) notify_driver: bool,
    /// Whether the driver has an observer. Assumed until the driver is polled.
    pub(super) observed: bool,
    /// The longest silence that was not reported to the observer yet (T19).
    longest_idle: Duration,
    items: PhantomData<fn(Item)>,
}

/// Whether there may be heartbeats. Only then anything is reported to the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SinkPhase {
    /// The interval is zero (T1).
    Disabled,
    Active,
    /// (T9)
    Stopped,
}

/// Which items change what the driver waits for. It notices all others when its sleep ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WakeDriverOn {
    Nothing,
    /// An event: the heartbeats were given up (T12).
    Event,
    /// Any item: the next one may end the message.
    AnyItem,
}

/// How far the bytes have come that the sink has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FlushState {
    /// All of them are flushed.
    Clean,
    /// Some of them are not flushed.
    Dirty,
    /// A flush has begun and has to wait: the bytes leave later than the sink took them.
    Flushing,
}

impl<Item, Si, U: SinkSchedule, B> SinkState<Item, Si, U, B> {
    pub(super) fn new<P>(sink: Si, scheduler: P, config: Config, heartbeat: B) -> Self
    where
        P: Scheduler<SinkSchedule = U>,
    {
        let stall_after = Some(config.stall_after()).filter(|limit| !limit.is_zero());
        Self {
            sink: Box::pin(sink),
            schedule: scheduler.schedule_sink(config),
            heartbeat,
            phase: if config.is_disabled() { SinkPhase::Disabled } else { SinkPhase::Active },
            last_flush: stall_after.unwrap_or(config.interval().max(Config::DEFAULT_INTERVAL)),
            flush: FlushState::Dirty, // the sink may have items already
            failed: false,
            last_kind: ItemKind::Event,
            wake_driver_on: WakeDriverOn::Nothing,
            notify_driver: false,
            observed: true,
            longest_idle: Duration::ZERO,
            items: PhantomData,
        }
    }

    /// Ends the heartbeats (T9).
    pub(super) fn stop(&mut self) {
        let phase = mem::replace(&mut self.phase, SinkPhase::Stopped);
        if phase == SinkPhase::Active {
            self.record_idle(self.schedule.now());
        }
        if phase != SinkPhase::Stopped {
            self.schedule.stop();
        }
    }

    /// Ends the heartbeats, and the schedule also where it times the final flush.
    pub(super) fn end(&mut self) {
        self.stop();
        self.schedule.stop();
    }

    fn report(&mut self, activity: Activity) -> U::Instant {
        let now = self.schedule.now();
        self.record_idle(now);
        self.schedule.report(activity, now);
        now
    }

    fn record_idle(&mut self, now: U::Instant) {
        if self.observed {
            self.longest_idle = self.longest_idle.max(self.schedule.idle_time(now));
        }
    }

    /// The longest silence that has ended since the last call, if any has.
    pub(super) fn take_longest_idle(&mut self) -> Option<Duration> {
        Some(mem::take(&mut self.longest_idle)).filter(|idle| !idle.is_zero())
    }

    /// Whether there is nothing to flush.
    pub(super) fn is_clean(&self) -> bool {
        self.flush == FlushState::Clean
    }
}

impl<Item, Si: Sink<Item>, U: SinkSchedule, B: MakeHeartbeat<Item>> SinkState<Item, Si, U, B> {
    /// Takes the item once the sink is ready. `None` is an item that was sent before.
    pub(super) fn poll_feed(
        &mut self,
        item: &mut Option<Item>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Si::Error>> {
        if item.is_some() {
            ready!(self.poll_ready(cx))?;
        }
        Poll::Ready(item.take().map_or(Ok(()), |item| self.start_send_item(item)))
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Si::Error>> {
        let ready = self.sink.as_mut().poll_ready(cx);
        self.failed |= matches!(ready, Poll::Ready(Err(_)));
        ready
    }

    fn start_send_item(&mut self, item: Item) -> Result<(), Si::Error> {
        let kind = self.heartbeat.classify(&item);
        self.start_send(item)?;
        if self.phase != SinkPhase::Active {
            return Ok(());
        }
        self.last_kind = kind;
        let activity = if kind == ItemKind::Event { Activity::Event } else { Activity::OtherBytes };
        // An error is no send (T17), but cancels a heartbeat in flight.
        if kind != ItemKind::Error || self.schedule.is_in_flight() {
            self.report(activity);
        }
        let is_awaited = match self.wake_driver_on {
            WakeDriverOn::Nothing => false,
            WakeDriverOn::Event => kind == ItemKind::Event,
            WakeDriverOn::AnyItem => true,
        };
        if is_awaited {
            self.wake_driver_on = WakeDriverOn::Nothing;
            self.notify_driver = true;
        }
        Ok(())
    }

    /// Sends a heartbeat, for which the sink is ready. Returns when the sink took it, and its size.
    pub(super) fn start_send_heartbeat(
        &mut self,
    ) -> Result<(U::Instant, Option<usize>), Si::Error> {
        let heartbeat = self.heartbeat.make();
        let encoded_len = self.heartbeat.encoded_len(&heartbeat);
        self.start_send(heartbeat)?;
        // Not before: a sink may block its thread, and the next heartbeat would follow at once (T5).
        Ok((self.report(Activity::OtherBytes), encoded_len))
    }

    fn start_send(&mut self, item: Item) -> Result<(), Si::Error> {
        let sent = self.sink.as_mut().start_send(item);
        match sent {
            Ok(()) if self.flush == FlushState::Clean => self.flush = FlushState::Dirty,
            Ok(()) => {}
            Err(_) => self.failed = true,
        }
        sent
    }

    /// Flushes what the sink has taken. Where the flush has to wait, the silence begins when it is done,
    /// since the bytes leave then (T6).
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Si::Error>> {
        if self.is_clean() {
            return Poll::Ready(Ok(()));
        }
        let flushed = self.sink.as_mut().poll_flush(cx);
        self.record_flush(&flushed);
        flushed
    }

    /// Closes the sink, which flushes it.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Si::Error>> {
        let closed = self.sink.as_mut().poll_close(cx);
        self.record_flush(&closed);
        closed
    }

    fn record_flush(&mut self, flushed: &Poll<Result<(), Si::Error>>) {
        match flushed {
            Poll::Ready(Ok(())) => {
                let waited = mem::replace(&mut self.flush, FlushState::Clean);
                if waited == FlushState::Flushing && self.phase == SinkPhase::Active {
                    _ = self.report(Activity::OtherBytes);
                }
            }
            Poll::Ready(Err(_)) => self.failed = true,
            Poll::Pending => self.flush = FlushState::Flushing,
        }
    }

    /// Whether a heartbeat may follow the last item.
    pub(super) fn at_boundary(&self) -> bool {
        self.last_kind != ItemKind::Error && self.heartbeat.at_boundary()
    }
}
