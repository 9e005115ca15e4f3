//! Streams with heartbeats that are wrong on purpose.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{
    Config, Counters, HeartbeatStream, ItemKind, Jitter, MakeHeartbeat, Observed, Timer,
};

use crate::source::Source;
use crate::spy_timer::SpyTimer;
use crate::subject::{Fixture, OnTimer, StoppableStream, Subject, TestItem};
use crate::test_sink::TestSink;

/// What is wrong with a [`FaultyStream`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamFault {
    None,
    /// Drops every third item.
    LosesItems,
    /// Yields the items that are ready at the same time in reverse.
    ReversesItems,
    /// Keeps an item back until the next poll.
    DelaysItems,
    /// Does not register the waker of the consumer.
    LosesWaker,
    /// Keeps the waker of the first poll.
    KeepsFirstWaker,
    /// Reads the clock for each item.
    ReadsClock,
    /// Sets a sleep for each item.
    SetsSleep,
    /// Polls the inner stream after its end.
    PollsAfterEnd,
    /// Does not say that it has ended.
    NeverTerminated,
    /// Counts an error as an event.
    HeartbeatAfterError,
    /// Sends a heartbeat in the middle of a message.
    HeartbeatInsideMessage,
    /// Counts heartbeats from elsewhere as events.
    CountsOtherHeartbeats,
    /// Sends heartbeats after `stop`.
    IgnoresStop,
    /// Sends the first heartbeat at once.
    AlwaysImmediate,
    /// Does not send the first heartbeat at once where it should.
    NeverImmediate,
    /// Never gives up on a producer.
    NeverGivesUp,
    /// Takes no account of jitter.
    NoJitter,
    /// Sends a heartbeat a tick after each interval.
    LateHeartbeats,
    /// Reports nothing to its observer.
    ReportsNothing,
}

/// A timer in virtual time, and streams on it that are wrong.
#[derive(Clone)]
pub(super) struct FaultyStreams {
    pub(super) on_timer: OnTimer<VirtualTime>,
    pub(super) fault: StreamFault,
}

impl Subject for FaultyStreams {
    type Timer = VirtualTime;
    type Scheduler = SpyTimer<VirtualTime>;
    type Stream<I: TestItem, B: MakeHeartbeat<I>> = FaultyStream<I, B>;
    type Sink = TestSink;

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
    ) -> FaultyStream<I, B> {
        let fault = self.fault;
        let timer = scheduler.clone();
        let config = match fault {
            StreamFault::AlwaysImmediate => config.with_immediate_first(true),
            StreamFault::NeverImmediate => config.with_immediate_first(false),
            StreamFault::NeverGivesUp => config.with_give_up_after(Duration::ZERO),
            StreamFault::NoJitter => config.with_jitter(Jitter::default()),
            StreamFault::LateHeartbeats => {
                config.with_interval(config.interval().saturating_add(Duration::from_secs(1)))
            }
            _ => config,
        };
        let counters = match fault {
            StreamFault::ReportsNothing => Rc::default(),
            _ => counters,
        };
        let make_heartbeat = FaultyHeartbeat { make_heartbeat, fault };
        let stream = HeartbeatStream::new(source.clone(), scheduler, config, make_heartbeat);
        let stream = stream.with_observer(counters);
        FaultyStream {
            stream: Box::pin(stream),
            source: Box::pin(source),
            timer,
            fault,
            first_waker: None,
            kept_back: VecDeque::new(),
            items: 0,
        }
    }

    fn sink(&self, sink: TestSink) -> TestSink {
        sink
    }
}

type CorrectStream<I, B> =
    HeartbeatStream<Source<I>, FaultyHeartbeat<B>, SpyTimer<VirtualTime>, Observed<Rc<Counters>>>;

pub(super) struct FaultyStream<I: TestItem, B: MakeHeartbeat<I>> {
    stream: Pin<Box<CorrectStream<I, B>>>,
    source: Pin<Box<Source<I>>>,
    timer: SpyTimer<VirtualTime>,
    fault: StreamFault,
    first_waker: Option<Waker>,
    kept_back: VecDeque<I>,
    items: usize,
}

impl<I: TestItem, B: MakeHeartbeat<I>> FaultyStream<I, B> {
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<I>> {
        let first = self.first_waker.get_or_insert_with(|| cx.waker().clone()).clone();
        let waker = match self.fault {
            StreamFault::LosesWaker => Waker::noop(),
            StreamFault::KeepsFirstWaker => &first,
            _ => cx.waker(),
        };
        self.stream.as_mut().poll_next(&mut Context::from_waker(waker))
    }
}

impl<I: TestItem, B: MakeHeartbeat<I>> Stream for FaultyStream<I, B> {
    type Item = I;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<I>> {
        let this = &mut *self;
        if this.fault == StreamFault::PollsAfterEnd && this.stream.is_terminated() {
            let _ = this.source.as_mut().poll_next(cx);
        }
        let mut polled = this.poll_inner(cx);
        match this.fault {
            StreamFault::LosesItems => {
                while let Poll::Ready(Some(_)) = polled {
                    this.items += 1;
                    if this.items % 3 != 0 {
                        break;
                    }
                    polled = this.poll_inner(cx);
                }
            }
            StreamFault::ReversesItems => {
                while let Poll::Ready(Some(item)) = polled {
                    this.kept_back.push_front(item);
                    polled = this.poll_inner(cx);
                }
                if let Some(item) = this.kept_back.pop_front() {
                    polled = Poll::Ready(Some(item));
                }
            }
            StreamFault::DelaysItems => {
                if let Poll::Ready(Some(item)) = polled {
                    this.kept_back.push_back(item);
                    polled = Poll::Pending;
                } else if let Some(item) = this.kept_back.pop_front() {
                    polled = Poll::Ready(Some(item));
                }
            }
            StreamFault::ReadsClock if polled.is_ready() => {
                this.timer.now();
            }
            StreamFault::SetsSleep if polled.is_ready() => {
                drop(this.timer.sleep_until(Duration::MAX));
            }
            _ => {}
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

impl<I: TestItem, B: MakeHeartbeat<I>> FusedStream for FaultyStream<I, B> {
    fn is_terminated(&self) -> bool {
        self.fault != StreamFault::NeverTerminated && self.stream.is_terminated()
    }
}

impl<I: TestItem, B: MakeHeartbeat<I>> Unpin for FaultyStream<I, B> {}

impl<I: TestItem, B: MakeHeartbeat<I>> StoppableStream for FaultyStream<I, B> {
    fn stop(mut self: Pin<&mut Self>) {
        if self.fault != StreamFault::IgnoresStop {
            self.stream.as_mut().stop();
        }
    }
}

impl<I: TestItem, B: MakeHeartbeat<I>> fmt::Debug for FaultyStream<I, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStream").field("fault", &self.fault).finish_non_exhaustive()
    }
}

pub(super) struct FaultyHeartbeat<B> {
    make_heartbeat: B,
    fault: StreamFault,
}

impl<I, B: MakeHeartbeat<I>> MakeHeartbeat<I> for FaultyHeartbeat<B> {
    fn make(&mut self) -> I {
        self.make_heartbeat.make()
    }

    fn classify(&mut self, item: &I) -> ItemKind {
        match (self.make_heartbeat.classify(item), self.fault) {
            (ItemKind::Error, StreamFault::HeartbeatAfterError)
            | (ItemKind::Heartbeat, StreamFault::CountsOtherHeartbeats) => ItemKind::Event,
            (kind, _) => kind,
        }
    }

    fn encoded_len(&mut self, heartbeat: &I) -> Option<usize> {
        self.make_heartbeat.encoded_len(heartbeat)
    }

    fn at_boundary(&self) -> bool {
        self.fault == StreamFault::HeartbeatInsideMessage || self.make_heartbeat.at_boundary()
    }
}
