//! A stream under test, with all that can be seen of it.

use std::rc::Rc;

use heartbeat_async::{Config, Counters, MakeHeartbeat};

use crate::consumer::Consumer;
use crate::source::Source;
use crate::spy_timer::TimerCalls;
use crate::subject::{Fixture, Subject, TestItem};
use crate::test_bed::TestBed;

/// A stream under test and all that can be seen of it.
pub(crate) struct OpenStream<S: Subject, I: TestItem, B: MakeHeartbeat<I>> {
    /// The stream without heartbeats.
    pub(crate) source: Source<I>,
    /// The calls that the stream makes to its timer.
    pub(crate) calls: Rc<TimerCalls>,
    pub(crate) fixture: Fixture<S::Timer>,
    /// The observer of the stream.
    pub(crate) counters: Rc<Counters>,
    pub(crate) consumer: Consumer<S, S::Stream<I, B>>,
}

impl<S: Subject> TestBed<S> {
    /// Opens a stream with heartbeats.
    pub(crate) fn open<I: TestItem, B: MakeHeartbeat<I>>(
        &self,
        config: impl Into<Config>,
        make_heartbeat: B,
    ) -> OpenStream<S, I, B> {
        let (source, counters) = (Source::new(), Rc::new(Counters::new()));
        let (scheduler, fixture) = self.subject().scheduler();
        let from = self.now();
        let stream = self.subject().stream(
            source.clone(),
            scheduler,
            config.into(),
            make_heartbeat,
            Rc::clone(&counters),
        );
        let opened = self.window(from);
        let consumer = Consumer::new(self.clone(), stream, opened);
        OpenStream { source, calls: fixture.calls(), fixture, counters, consumer }
    }
}
