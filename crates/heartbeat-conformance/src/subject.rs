//! What is under test: a timer or a hub, and what streams and sinks are made of.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures_core::stream::FusedStream;
use futures_sink::Sink;
use heartbeat_async::{
    Config, Counters, HeartbeatStream, Hub, MakeHeartbeat, Observed, Scheduler, Timer,
};

use crate::hubs::Hubs;
use crate::source::Source;
use crate::spy_timer::{SpyTimer, TimerCalls};
use crate::test_sink::{SinkError, TestSink};

/// What a scenario tests. The suite has two, [`OnTimer`] and [`OnHub`]; its own tests have more, which are
/// wrong on purpose.
pub(crate) trait Subject: Clone + 'static {
    type Timer: Timer + Clone + 'static;
    type Scheduler: Scheduler;
    type Stream<I: TestItem, B: MakeHeartbeat<I>>: StoppableStream<Item = I>;
    type Sink: Sink<&'static str, Error = SinkError>;

    fn timer(&self) -> &Self::Timer;

    /// A scheduler for one stream or sink.
    fn scheduler(&self) -> (Self::Scheduler, Fixture<Self::Timer>);

    /// By how much a heartbeat may be early, where the interval is that long.
    fn granularity(&self, interval: Duration) -> Duration;

    /// A stream with heartbeats.
    fn stream<I: TestItem, B: MakeHeartbeat<I>>(
        &self,
        source: Source<I>,
        scheduler: Self::Scheduler,
        config: Config,
        make_heartbeat: B,
        counters: Rc<Counters>,
    ) -> Self::Stream<I, B>;

    /// The sink that heartbeats are sent into.
    fn sink(&self, sink: TestSink) -> Self::Sink;
}

/// What a stream yields in a scenario.
pub(crate) trait TestItem: fmt::Debug + PartialEq {}

impl<I: fmt::Debug + PartialEq> TestItem for I {}

/// A stream whose heartbeats can be stopped.
pub(crate) trait StoppableStream: FusedStream {
    fn stop(self: Pin<&mut Self>);
}

impl<S, B, P> StoppableStream for HeartbeatStream<S, B, P, Observed<Rc<Counters>>>
where
    S: futures_core::Stream,
    B: MakeHeartbeat<S::Item>,
    P: Scheduler,
{
    fn stop(self: Pin<&mut Self>) {
        self.stop();
    }
}

/// What a stream, or a sink, holds of its scheduler.
pub(crate) struct Fixture<T: Timer> {
    calls: Rc<TimerCalls>,
    hub: Option<Hub<SpyTimer<T>>>,
}

impl<T: Timer> Fixture<T> {
    /// The calls that the stream has made to its timer.
    pub(crate) fn calls(&self) -> Rc<TimerCalls> {
        Rc::clone(&self.calls)
    }

    /// The number of sleeps that exist for the stream: its own, or its entries in the hub.
    pub(crate) fn sleeps(&self) -> usize {
        self.hub.as_ref().map_or_else(|| self.calls.sleeps(), Hub::len)
    }
}

/// Each stream and sink has a sleep of its own.
#[derive(Clone)]
pub(crate) struct OnTimer<T>(pub(crate) T);

impl<T: Timer + Clone + 'static> Subject for OnTimer<T> {
    type Timer = T;
    type Scheduler = SpyTimer<T>;
    type Stream<I: TestItem, B: MakeHeartbeat<I>> =
        HeartbeatStream<Source<I>, B, SpyTimer<T>, Observed<Rc<Counters>>>;
    type Sink = TestSink;

    fn timer(&self) -> &T {
        &self.0
    }

    fn scheduler(&self) -> (SpyTimer<T>, Fixture<T>) {
        let timer = SpyTimer::new(self.0.clone());
        let calls = timer.calls();
        (timer, Fixture { calls, hub: None })
    }

    fn granularity(&self, _: Duration) -> Duration {
        self.0.granularity()
    }

    fn stream<I: TestItem, B: MakeHeartbeat<I>>(
        &self,
        source: Source<I>,
        scheduler: SpyTimer<T>,
        config: Config,
        make_heartbeat: B,
        counters: Rc<Counters>,
    ) -> Self::Stream<I, B> {
        HeartbeatStream::new(source, scheduler, config, make_heartbeat).with_observer(counters)
    }

    fn sink(&self, sink: TestSink) -> TestSink {
        sink
    }
}

/// Each stream and sink is on a hub of its own.
#[derive(Clone)]
pub(crate) struct OnHub<T: Timer> {
    pub(crate) timer: T,
    pub(crate) hubs: Hubs<SpyTimer<T>>,
}

impl<T: Timer + Clone + 'static> Subject for OnHub<T> {
    type Timer = T;
    type Scheduler = Hub<SpyTimer<T>>;
    type Stream<I: TestItem, B: MakeHeartbeat<I>> =
        HeartbeatStream<Source<I>, B, Hub<SpyTimer<T>>, Observed<Rc<Counters>>>;
    type Sink = TestSink;

    fn timer(&self) -> &T {
        &self.timer
    }

    fn scheduler(&self) -> (Hub<SpyTimer<T>>, Fixture<T>) {
        let timer = SpyTimer::new(self.timer.clone());
        let calls = timer.calls();
        // The sleep belongs to the hub's task, so a stream does not spin for one that is early.
        calls.ignore_early();
        let hub = self.hubs.open(timer);
        (hub.clone(), Fixture { calls, hub: Some(hub) })
    }

    /// A 64th of the interval (T15).
    fn granularity(&self, interval: Duration) -> Duration {
        interval / 64
    }

    fn stream<I: TestItem, B: MakeHeartbeat<I>>(
        &self,
        source: Source<I>,
        scheduler: Hub<SpyTimer<T>>,
        config: Config,
        make_heartbeat: B,
        counters: Rc<Counters>,
    ) -> Self::Stream<I, B> {
        HeartbeatStream::new(source, scheduler, config, make_heartbeat).with_observer(counters)
    }

    fn sink(&self, sink: TestSink) -> TestSink {
        sink
    }
}
