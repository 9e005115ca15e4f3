//! What senders and driver share.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use async_lock::{Mutex, MutexGuard};
use event_listener::Event;
use futures_sink::Sink;
use heartbeat_core::{Config, Heartbeat, Instant};

use crate::{Beat, Kind, Timer};

/// The sink, its heart, and who may have them.
pub(super) struct Shared<Si, T: Timer, B> {
    pub(super) timer: T,
    pub(super) signals: Arc<Signals>,
    /// Of whoever hands something over, also while it waits for the sink: so that senders take their
    /// turns, and a heartbeat comes after those who wait.
    pub(super) turn: Mutex<()>,
    /// Never held while anybody waits for anything.
    line: Mutex<Line<Si, T::Instant, B>>,
    /// Wakes all who wait for the sink: it remembers one waker only, of whoever polled it last.
    waker: Waker,
}

/// What there is to wait for.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// The sink may go on.
    pub(super) ready: Event,
    /// The driver should look: it is to end, to flush, or to beat again.
    pub(super) changed: Event,
}

impl Wake for Signals {
    fn wake(self: Arc<Self>) {
        self.ready.notify(usize::MAX);
    }
}

/// As long as this is there, there are senders.
#[derive(Debug)]
pub(super) struct Senders(Arc<Signals>);

impl Senders {
    pub(super) fn of<Si, T: Timer, B>(shared: &Shared<Si, T, B>) -> Self {
        Self(Arc::clone(&shared.signals))
    }
}

impl Drop for Senders {
    fn drop(&mut self) {
        self.0.changed.notify(usize::MAX);
    }
}

impl<Si, T: Timer, B> Shared<Si, T, B> {
    pub(super) fn new(sink: Si, timer: T, config: &Config, beat: B) -> Self {
        let signals = Arc::new(Signals::default());
        let line = Line {
            sink: Box::pin(sink),
            heart: Heartbeat::new(config, timer.now()).with_granularity(timer.granularity()),
            beat,
            beating: !config.is_disabled(),
            flow: Flow::HandedOver, // who knows what is in there
            resting: false,
            longest_silence: Duration::ZERO,
        };
        let waker = Waker::from(Arc::clone(&signals));
        Self { timer, signals, turn: Mutex::new(()), line: Mutex::new(line), waker }
    }

    pub(super) async fn line(&self) -> MutexGuard<'_, Line<Si, T::Instant, B>> {
        self.line.lock().await
    }

    /// What the sink is polled with.
    pub(super) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// Waits for the sink without keeping anybody from it. Whoever is let go on has it.
    pub(super) async fn until<E>(
        &self,
        mut poll: impl FnMut(&mut Line<Si, T::Instant, B>) -> Poll<Result<(), E>>,
    ) -> Result<MutexGuard<'_, Line<Si, T::Instant, B>>, E> {
        loop {
            let mut line = self.line().await;
            if let Poll::Ready(polled) = poll(&mut line) {
                return polled.map(|()| line);
            }
            let ready = self.signals.ready.listen();
            // It may have become ready before there was anybody to hear it.
            if let Poll::Ready(polled) = poll(&mut line) {
                return polled.map(|()| line);
            }
            drop(line);
            ready.await;
        }
    }
}

/// The sink and what went through it.
pub(super) struct Line<Si, I, B> {
    pub(super) sink: Pin<Box<Si>>,
    pub(super) heart: Heartbeat<I>,
    beat: B,
    /// Not so if disabled or stopped: then the heart hears of nothing (T1, T9).
    beating: bool,
    flow: Flow,
    /// The driver waits for a real item (T12).
    pub(super) resting: bool,
    /// The longest one that the observer was not told yet (T19).
    longest_silence: Duration,
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
    /// The sink itself sees to it while it is closed.
    Closing,
}

impl<Si, I: Instant, B> Line<Si, I, B> {
    /// Hands an item over. The sink is ready for it.
    pub(super) fn hand_over<Item, T>(
        &mut self,
        item: Item,
        shared: &Shared<Si, T, B>,
    ) -> Result<(), Si::Error>
    where
        Si: Sink<Item>,
        T: Timer<Instant = I>,
        B: Beat<Item>,
    {
        let kind = self.beat.kind(&item);
        self.start_send(item)?;
        if self.beating {
            let report = match kind {
                Kind::Real => Heartbeat::on_send,
                Kind::Heartbeat => Heartbeat::on_bytes,
                Kind::Failure => return Ok(()),
            };
            let now = shared.timer.now();
            self.measure(now);
            report(&mut self.heart, now);
        }
        if mem::take(&mut self.resting) {
            shared.signals.changed.notify(usize::MAX);
        }
        Ok(())
    }

    /// Hands a heartbeat over, and tells when that was, and its size. The sink is ready for it.
    pub(super) fn hand_over_heartbeat<Item, T>(
        &mut self,
        shared: &Shared<Si, T, B>,
    ) -> Result<(I, Option<usize>), Si::Error>
    where
        Si: Sink<Item>,
        T: Timer<Instant = I>,
        B: Beat<Item>,
    {
        let heartbeat = self.beat.heartbeat();
        let bytes = self.beat.bytes(&heartbeat);
        self.start_send(heartbeat)?;
        // Not earlier: if the sink took its time, the next one would follow on the heels of this (T5).
        let now = shared.timer.now();
        self.measure(now);
        self.heart.on_heartbeat_sent(now);
        Ok((now, bytes))
    }

    fn start_send<Item>(&mut self, item: Item) -> Result<(), Si::Error>
    where
        Si: Sink<Item>,
    {
        self.sink.as_mut().start_send(item)?;
        if self.flow == Flow::Flushed {
            self.flow = Flow::HandedOver;
        }
        Ok(())
    }

    /// Flushes what was handed over. If that has to wait, the bytes leave when it is done: the silence
    /// begins then, and no heartbeat follows on their heels (T6).
    pub(super) fn poll_flush<Item, T>(
        &mut self,
        shared: &Shared<Si, T, B>,
    ) -> Poll<Result<(), Si::Error>>
    where
        Si: Sink<Item>,
        T: Timer<Instant = I>,
    {
        if self.is_flushed() {
            return Poll::Ready(Ok(()));
        }
        let flushed = self.sink.as_mut().poll_flush(&mut shared.context());
        match flushed {
            Poll::Ready(Ok(())) => {
                let waited = mem::replace(&mut self.flow, Flow::Flushed) == Flow::Waiting;
                if waited && self.beating {
                    let now = shared.timer.now();
                    self.measure(now);
                    self.heart.on_bytes(now);
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.flow = Flow::Waiting,
        }
        flushed
    }

    /// Closes the sink, without a heartbeat from now on.
    pub(super) fn poll_close<Item, T>(
        &mut self,
        shared: &Shared<Si, T, B>,
    ) -> Poll<Result<(), Si::Error>>
    where
        Si: Sink<Item>,
        T: Timer<Instant = I>,
    {
        self.flow = Flow::Closing;
        self.sink.as_mut().poll_close(&mut shared.context())
    }

    /// Whether there is nothing to flush.
    pub(super) fn is_flushed(&self) -> bool {
        matches!(self.flow, Flow::Flushed | Flow::Closing)
    }

    /// Ends the heartbeats (T9).
    pub(super) fn stop(&mut self, now: I) {
        if mem::take(&mut self.beating) {
            self.measure(now);
        }
        self.heart.stop();
    }

    fn measure(&mut self, now: I) {
        self.longest_silence = self.longest_silence.max(self.heart.silence(now));
    }

    /// The longest silence since this was last asked, if one has ended.
    pub(super) fn take_silence(&mut self) -> Option<Duration> {
        Some(mem::take(&mut self.longest_silence)).filter(|silence| !silence.is_zero())
    }
}
