//! Sinks that are wrong on purpose.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_sink::Sink;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{Config, Counters, HeartbeatStream, MakeHeartbeat, Observed};

use crate::source::Source;
use crate::spy_timer::SpyTimer;
use crate::subject::{Fixture, OnTimer, Subject, TestItem};
use crate::test_sink::{SinkError, TestSink};

/// What is wrong with a [`FaultySink`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SinkFault {
    None,
    /// Wakes no task when it is ready or flushed.
    WakesNoTask,
    /// Wakes the first task that waited, and no other.
    KeepsFirstWaker,
    /// Drops every second item.
    LosesItems,
    /// Passes every second item before the one that came before it.
    ReversesItems,
    /// Sends every item twice.
    DuplicatesItems,
    /// Says that items are flushed, and does not flush them.
    NeverFlushes,
    /// Says that it is ready, without asking the inner sink.
    AlwaysReady,
    /// Succeeds where the inner sink fails.
    HidesErrors,
    /// Does not close the inner sink.
    NeverCloses,
}

/// A timer in virtual time, and sinks that are wrong.
#[derive(Clone)]
pub(super) struct FaultySinks {
    pub(super) on_timer: OnTimer<VirtualTime>,
    pub(super) fault: SinkFault,
}

impl Subject for FaultySinks {
    type Timer = VirtualTime;
    type Scheduler = SpyTimer<VirtualTime>;
    type Stream<I: TestItem, B: MakeHeartbeat<I>> =
        HeartbeatStream<Source<I>, B, SpyTimer<VirtualTime>, Observed<Rc<Counters>>>;
    type Sink = FaultySink;

    fn timer(&self) -> &VirtualTime {
        self.on_timer.timer()
    }

    fn scheduler(&self) -> (SpyTimer<VirtualTime>, Fixture<VirtualTime>) {
        self.on_timer.scheduler()
    }

    fn granularity(&self, interval: Duration) -> Duration {
        self.on_timer.granularity(interval)
    }

    fn stream<I: TestItem, B: MakeHeartbeat<I>>(
        &self,
        source: Source<I>,
        scheduler: SpyTimer<VirtualTime>,
        config: Config,
        make_heartbeat: B,
        counters: Rc<Counters>,
    ) -> Self::Stream<I, B> {
        self.on_timer.stream(source, scheduler, config, make_heartbeat, counters)
    }

    fn sink(&self, sink: TestSink) -> FaultySink {
        let sink = Box::pin(sink);
        FaultySink { sink, fault: self.fault, first_waker: None, kept_back: None, items: 0 }
    }
}

pub(super) struct FaultySink {
    sink: Pin<Box<TestSink>>,
    fault: SinkFault,
    first_waker: Option<Waker>,
    kept_back: Option<&'static str>,
    items: usize,
}

impl FaultySink {
    /// The waker that the inner sink gets in place of that of the task.
    fn waker(&mut self, waker: &Waker) -> Waker {
        let first = self.first_waker.get_or_insert_with(|| waker.clone()).clone();
        match self.fault {
            SinkFault::WakesNoTask => Waker::noop().clone(),
            SinkFault::KeepsFirstWaker => first,
            _ => waker.clone(),
        }
    }

    fn result(&self, polled: Poll<Result<(), SinkError>>) -> Poll<Result<(), SinkError>> {
        match polled {
            Poll::Ready(Err(_)) if self.fault == SinkFault::HidesErrors => Poll::Ready(Ok(())),
            polled => polled,
        }
    }
}

impl Sink<&'static str> for FaultySink {
    type Error = SinkError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        let waker = self.waker(cx.waker());
        let polled = self.sink.as_mut().poll_ready(&mut Context::from_waker(&waker));
        if self.fault == SinkFault::AlwaysReady { Poll::Ready(Ok(())) } else { self.result(polled) }
    }

    fn start_send(mut self: Pin<&mut Self>, item: &'static str) -> Result<(), SinkError> {
        self.items += 1;
        let is_second = self.items % 2 == 0;
        let result = match self.fault {
            SinkFault::LosesItems if is_second => return Ok(()),
            SinkFault::ReversesItems if !is_second => {
                self.kept_back = Some(item);
                return Ok(());
            }
            SinkFault::ReversesItems => {
                self.sink.as_mut().start_send(item)?;
                let earlier = self.kept_back.take().unwrap_or(item);
                let _ = self.sink.as_mut().poll_ready(&mut Context::from_waker(Waker::noop()));
                self.sink.as_mut().start_send(earlier)
            }
            SinkFault::DuplicatesItems => {
                self.sink.as_mut().start_send(item)?;
                let _ = self.sink.as_mut().poll_ready(&mut Context::from_waker(Waker::noop()));
                self.sink.as_mut().start_send(item)
            }
            _ => self.sink.as_mut().start_send(item),
        };
        if self.fault == SinkFault::HidesErrors { Ok(()) } else { result }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        if self.fault == SinkFault::NeverFlushes {
            return Poll::Ready(Ok(()));
        }
        let waker = self.waker(cx.waker());
        let polled = self.sink.as_mut().poll_flush(&mut Context::from_waker(&waker));
        self.result(polled)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        let waker = self.waker(cx.waker());
        let mut cx = Context::from_waker(&waker);
        let polled = match self.fault {
            SinkFault::NeverCloses => self.sink.as_mut().poll_flush(&mut cx),
            _ => self.sink.as_mut().poll_close(&mut cx),
        };
        self.result(polled)
    }
}
