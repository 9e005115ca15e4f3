//! What senders and driver share.

use crate::sync::Arc;
use alloc::boxed::Box;
use core::future::poll_fn;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use async_lock::{Mutex, MutexGuard};
use event_listener::Event;
use futures_sink::Sink;
use heartbeat_core::Config;

use super::turn::Turns;
use crate::schedule::{Activity, SinkSchedule};
use crate::{ItemKind, MakeHeartbeat, Scheduler};

/// The sink, its schedule, and who may have them.
pub(super) struct Shared<Si, P: Scheduler, B> {
    /// Whoever asks the sink for anything has the turn, also while it waits. So the sink has one to
    /// wake, an error reaches whoever has caused it, and all keep their order.
    pub(super) turns: Turns,
    /// The driver should look: it is to end, to flush, or to beat again.
    pub(super) changed: Arc<Event>,
    /// How long the driver waits for a peer that does not read (T20); zero is for ever.
    pub(super) stall_after: Duration,
    /// Never held while anybody waits for anything.
    line: Mutex<Line<Si, P::SinkSchedule, B>>,
}

/// As long as this is there, there are senders.
#[derive(Debug)]
pub(super) struct Senders(Arc<Event>);

impl Senders {
    pub(super) fn of<Si, P: Scheduler, B>(shared: &Shared<Si, P, B>) -> Self {
        Self(Arc::clone(&shared.changed))
    }
}

impl Drop for Senders {
    fn drop(&mut self) {
        self.0.notify(usize::MAX);
    }
}

impl<Si, P: Scheduler, B> Shared<Si, P, B> {
    pub(super) fn new(sink: Si, scheduler: P, config: Config, beat: B) -> Self {
        let beating = !config.is_disabled();
        let line = Line {
            sink: Box::pin(sink),
            schedule: scheduler.schedule_sink(config),
            beat,
            beating,
            stopped: false,
            flow: Flow::HandedOver, // who knows what is in there
            failed: false,
            awaits: Awaits::Nothing,
            longest_silence: Duration::ZERO,
        };
        Self {
            turns: Turns::default(),
            changed: Arc::new(Event::new()),
            stall_after: if beating { config.stall_after() } else { Duration::ZERO }, // T1
            line: Mutex::new(line),
        }
    }

    pub(super) async fn line(&self) -> MutexGuard<'_, Line<Si, P::SinkSchedule, B>> {
        self.line.lock().await
    }

    /// The line, if nobody has it.
    pub(super) fn try_line(&self) -> Option<MutexGuard<'_, Line<Si, P::SinkSchedule, B>>> {
        self.line.try_lock()
    }

    /// Asks the sink, and waits for its answer without keeping anybody from the line. The turn is the
    /// caller's.
    pub(super) async fn ask<'a, R>(
        &'a self,
        mut line: MutexGuard<'a, Line<Si, P::SinkSchedule, B>>,
        mut poll: impl FnMut(&mut Line<Si, P::SinkSchedule, B>, &mut Context<'_>) -> Poll<R>,
    ) -> (MutexGuard<'a, Line<Si, P::SinkSchedule, B>>, R) {
        loop {
            let polled = poll_fn(|cx| Poll::Ready(poll(&mut line, cx))).await;
            if let Poll::Ready(answer) = polled {
                return (line, answer);
            }
            drop(line);
            woken().await;
            line = self.line().await;
        }
    }
}

/// Waits until the task is woken, by whomever.
async fn woken() {
    let mut waited = false;
    poll_fn(|_| if mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

/// The sink and what went through it.
pub(super) struct Line<Si, U, B> {
    sink: Pin<Box<Si>>,
    pub(super) schedule: U,
    beat: B,
    /// Not so if disabled or stopped: then the schedule hears of nothing (T1, T9).
    pub(super) beating: bool,
    pub(super) stopped: bool,
    flow: Flow,
    /// The sink has failed since the driver looked last.
    failed: bool,
    /// What the driver is to be told of.
    pub(super) awaits: Awaits,
    /// The longest one that the observer was not told yet (T19).
    longest_silence: Duration,
}

/// Which item changes what the driver waits for: all else it finds out when its alarm goes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    Nothing,
    /// A real one: the producer was given up (T12).
    Real,
    /// Any: the next may end the message.
    Any,
}

/// Where that is which was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// All of it is out.
    Flushed,
    /// It has to be flushed.
    HandedOver,
    /// The flush had to wait: the bytes leave later than they were handed over.
    Waiting,
}

impl<Si, U: SinkSchedule, B> Line<Si, U, B> {
    pub(super) fn poll_ready<Item>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Si::Error>>
    where
        Si: Sink<Item>,
    {
        let ready = self.sink.as_mut().poll_ready(cx);
        self.failed |= matches!(ready, Poll::Ready(Err(_)));
        ready
    }

    /// Hands an item over. The sink is ready for it.
    pub(super) fn hand_over<Item>(&mut self, item: Item, changed: &Event) -> Result<(), Si::Error>
    where
        Si: Sink<Item>,
        B: MakeHeartbeat<Item>,
    {
        let kind = self.beat.classify(&item);
        self.start_send(item)?;
        if self.beating {
            let news = match kind {
                ItemKind::Event => Activity::Event,
                ItemKind::Heartbeat => Activity::OtherBytes,
                ItemKind::Error => Activity::None,
            };
            if news != Activity::None {
                let now = self.schedule.now();
                self.measure(now);
                self.schedule.report(news, now);
            }
            let awaited = match self.awaits {
                Awaits::Nothing => false,
                Awaits::Real => kind == ItemKind::Event,
                Awaits::Any => true,
            };
            if awaited {
                self.awaits = Awaits::Nothing;
                changed.notify(usize::MAX);
            }
        }
        Ok(())
    }

    /// Hands a heartbeat over, and tells when that was, and its size. The sink is ready for it.
    pub(super) fn hand_over_heartbeat<Item>(
        &mut self,
    ) -> Result<(U::Instant, Option<usize>), Si::Error>
    where
        Si: Sink<Item>,
        B: MakeHeartbeat<Item>,
    {
        let heartbeat = self.beat.make();
        let bytes = self.beat.encoded_len(&heartbeat);
        self.start_send(heartbeat)?;
        // Not earlier: if the sink took its time, the next one would follow on the heels of this (T5).
        let now = self.schedule.now();
        self.measure(now);
        self.schedule.report(Activity::OtherBytes, now);
        Ok((now, bytes))
    }

    fn start_send<Item>(&mut self, item: Item) -> Result<(), Si::Error>
    where
        Si: Sink<Item>,
    {
        let sent = self.sink.as_mut().start_send(item);
        match sent {
            Ok(()) if self.flow == Flow::Flushed => self.flow = Flow::HandedOver,
            Ok(()) => {}
            Err(_) => self.failed = true,
        }
        sent
    }

    /// Flushes what was handed over. If that has to wait, the bytes leave when it is done: the silence
    /// begins then, and no heartbeat follows on their heels (T6).
    pub(super) fn poll_flush<Item>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Si::Error>>
    where
        Si: Sink<Item>,
    {
        if self.is_flushed() {
            return Poll::Ready(Ok(()));
        }
        let flushed = self.sink.as_mut().poll_flush(cx);
        self.see(&flushed);
        flushed
    }

    /// Closes the sink, which flushes it.
    pub(super) fn poll_close<Item>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Si::Error>>
    where
        Si: Sink<Item>,
    {
        let closed = self.sink.as_mut().poll_close(cx);
        self.see(&closed);
        closed
    }

    /// Takes note of how far the bytes have come.
    fn see<E>(&mut self, flushed: &Poll<Result<(), E>>) {
        match flushed {
            Poll::Ready(Ok(())) => {
                let waited = mem::replace(&mut self.flow, Flow::Flushed) == Flow::Waiting;
                if waited && self.beating {
                    let now = self.schedule.now();
                    self.measure(now);
                    self.schedule.report(Activity::OtherBytes, now);
                }
            }
            Poll::Ready(Err(_)) => self.failed = true,
            Poll::Pending => self.flow = Flow::Waiting,
        }
    }

    /// Whether a heartbeat may follow what was handed over.
    pub(super) fn fits<Item>(&self) -> bool
    where
        B: MakeHeartbeat<Item>,
    {
        self.beat.at_boundary()
    }

    /// Whether there is nothing to flush.
    pub(super) fn is_flushed(&self) -> bool {
        self.flow == Flow::Flushed
    }

    /// Whether the sink has failed since this was last asked.
    pub(super) fn take_failed(&mut self) -> bool {
        mem::take(&mut self.failed)
    }

    /// Ends the heartbeats (T9).
    pub(super) fn stop(&mut self) {
        if mem::take(&mut self.beating) {
            self.measure(self.schedule.now());
        }
        if !mem::replace(&mut self.stopped, true) {
            self.schedule.stop();
        }
    }

    fn measure(&mut self, now: U::Instant) {
        self.longest_silence = self.longest_silence.max(self.schedule.silence(now));
    }

    /// The longest silence since this was last asked, if one has ended.
    pub(super) fn take_silence(&mut self) -> Option<Duration> {
        Some(mem::take(&mut self.longest_silence)).filter(|silence| !silence.is_zero())
    }
}
