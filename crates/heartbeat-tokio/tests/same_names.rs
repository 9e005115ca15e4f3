//! The three adapters offer the same names: to change the runtime, change one dependency and one `use`.

use std::collections::BTreeSet;

/// A program that uses every name of an adapter. It never waits, so it needs no runtime.
macro_rules! program_on {
    ($adapter:ident, $timer:ident) => {
        mod $adapter {
            use std::cell::Cell;
            use std::time::Duration;

            use ::$adapter::{
                BodyFraming, Classify, Config, Counters, CountersSnapshot, Driver, DriverError,
                HeartbeatBody, HeartbeatLayer, HeartbeatMessage, HeartbeatPolicy, HeartbeatStream,
                HeartbeatStreamExt, Hub, HubError, HubTask, InvalidDescriptorSet, InvalidJitter,
                ItemKind, Jitter, MakeHeartbeat, MakeOk, NdjsonHeartbeat, NoObserver, Observed,
                Observer, Outcome, RpcHeartbeat, Sender, SseHeartbeat, StreamingMethods, TimedOut,
                WatchdogStream, heartbeat_sink, heartbeat_sink_on, $timer,
            };
            use futures_util::sink::{self, Drain};
            use futures_util::{FutureExt, Stream, StreamExt, stream};
            use http_body_util::BodyExt;

            const INTERVAL: Duration = Duration::from_secs(1);

            struct Dots;

            impl MakeHeartbeat<char> for Dots {
                fn make(&mut self) -> char {
                    '.'
                }

                fn classify(&mut self, _: &char) -> ItemKind {
                    ItemKind::Event
                }
            }

            struct LostHeartbeats(Cell<u32>);

            impl Observer for LostHeartbeats {
                fn on_heartbeat(&self, outcome: Outcome, _: Duration, _: Option<usize>) {
                    self.0.set(self.0.get() + u32::from(outcome == Outcome::Error));
                }
            }

            type IsDot = fn(&char) -> bool;

            fn with_counters<S: Stream<Item = char>>(
                letters: S,
                counters: &Counters,
            ) -> Result<
                HeartbeatStream<S, Classify<Dots, IsDot>, $timer, Observed<&Counters>>,
                InvalidJitter,
            > {
                let config = Config::every(INTERVAL).with_jitter(Jitter::try_from(0.1)?);
                let is_dot: IsDot = |letter| *letter == '.';
                Ok(letters
                    .heartbeat(config, Dots)
                    .treat_as_heartbeat(is_dot)
                    .with_observer(counters))
            }

            fn of_results<S: Stream<Item = Result<char, ()>>>(
                letters: S,
            ) -> HeartbeatStream<S, MakeOk<Dots>> {
                letters.try_heartbeat(INTERVAL, Dots)
            }

            fn on_hub<O: Observer>(hub: &Hub, observer: O) -> impl Stream<Item = char> {
                let letters = stream::iter("ab".chars());
                letters.heartbeat_on(hub, INTERVAL, Dots).with_observer(observer)
            }

            type SinkEnds<B> = (Sender<char, Drain<char>, B>, Driver<char, Drain<char>, B>);

            fn sink_ends() -> SinkEnds<Dots> {
                heartbeat_sink(sink::drain(), INTERVAL, Dots)
            }

            fn with_watchdog<S: Stream<Item = char>>(letters: S) -> WatchdogStream<S> {
                letters.watchdog(INTERVAL)
            }

            fn layer(
                counters: &Counters,
            ) -> Result<HeartbeatLayer<Observed<&Counters>>, InvalidDescriptorSet> {
                let heartbeat = RpcHeartbeat::new(HeartbeatMessage::empty());
                let policy = HeartbeatPolicy::new(INTERVAL)
                    .with_sse(&SseHeartbeat::default())
                    .with_ndjson(NdjsonHeartbeat::Space)
                    .with_rpc(StreamingMethods::from_descriptor_set([])?, heartbeat);
                Ok(HeartbeatLayer::new(policy.with_observer(counters)))
            }

            type Empty = http_body_util::Empty<bytes::Bytes>;

            fn body(inner: Empty) -> HeartbeatBody<Empty> {
                let framing = BodyFraming::sse(&SseHeartbeat::default());
                HeartbeatBody::new(inner, Default::default(), INTERVAL, framing)
            }

            /// Accepts what a multi-threaded executor can spawn.
            fn assert_send<T: Send>(value: T) -> T {
                value
            }

            #[test]
            fn streams_futures_and_tasks_are_send() {
                let (sender, driver) = assert_send(sink_ends());
                let sender = sender.clone();
                drop(assert_send(sender.send('a')));
                drop(assert_send(sender.feed('a')));
                drop(assert_send(sender.flush()));
                drop(assert_send(sender.stop()));
                drop(assert_send(sender.close()));
                drop(assert_send(driver));
                drop(assert_send(with_watchdog(stream::empty())));
                drop(assert_send(of_results(stream::empty())));
            }

            #[test]
            fn streams_yield_their_items() {
                let counters = Counters::new();
                let letters = with_counters(stream::iter("a.b".chars()), &counters).expect("valid");
                assert_eq!(letters.collect::<String>().now_or_never(), Some("a.b".to_owned()));
                let CountersSnapshot { sent, errors, .. } = counters.snapshot();
                assert_eq!((sent, errors), (0, 0));

                let lost = LostHeartbeats(Cell::new(0));
                let letters = of_results(stream::iter([Ok('a'), Err(())])).with_observer(&lost);
                let letters: Option<Vec<_>> = letters.collect().now_or_never();
                assert_eq!(letters, Some(vec![Ok('a'), Err(())]));
                assert_eq!(lost.0.get(), 0);
            }

            #[test]
            fn sinks_and_watchdogs_pass_items_on() {
                let (sender, driver) = sink_ends();
                sender.send('a').now_or_never().expect("no other sender").expect("infallible");
                sender.stop().now_or_never().expect("no other sender");
                let result: Option<Result<(), DriverError<_>>> = driver.now_or_never();
                assert_eq!(result, Some(Ok(())));

                let letters = with_watchdog(stream::iter("ab".chars()));
                let received: Vec<Result<char, TimedOut>> =
                    letters.collect().now_or_never().expect("the stream ends");
                assert_eq!(received, [Ok('a'), Ok('b')]);
            }

            /// The hub's task is dropped: items pass, and the driver reports it.
            #[test]
            fn streams_and_sinks_on_a_hub_pass_items_on() {
                let (hub, task): (Hub, HubTask) = Hub::new();
                drop(assert_send(task));
                let letters = on_hub(&hub, NoObserver).collect::<String>();
                assert_eq!(letters.now_or_never(), Some("ab".to_owned()));
                let letters = stream::iter([Ok('a'), Err(())]);
                let letters = assert_send(letters.try_heartbeat_on(&hub, INTERVAL, Dots));
                let letters: Option<Vec<_>> = letters.collect().now_or_never();
                assert_eq!(letters, Some(vec![Ok('a'), Err(())]));

                let (sender, driver) = heartbeat_sink_on(sink::drain(), &hub, INTERVAL, Dots);
                sender.send('a').now_or_never().expect("no other sender").expect("infallible");
                let result = assert_send(driver).now_or_never();
                assert_eq!(result, Some(Err(DriverError::Hub(HubError::Stopped))));
                drop(layer(&Counters::new()).map(|layer| layer.on_hub(&hub)));
            }

            #[test]
            fn layers_and_bodies_take_their_configuration() {
                let counters = Counters::new();
                assert!(format!("{:?}", layer(&counters)).contains("interval: 1s"));
                assert!(body(Empty::new()).collect().now_or_never().is_some());
            }
        }
    };
}

program_on!(heartbeat_tokio, TokioTimer);
program_on!(heartbeat_smol, SmolTimer);
program_on!(heartbeat_async_std, AsyncStdTimer);

/// The names that `src/lib.rs` of an adapter re-exports, except those of its module `timer`.
fn names_in(lib: &str) -> BTreeSet<&str> {
    let exports = lib.split("pub use ").skip(1);
    let lists = exports.filter_map(|export| export.split_once(';')).map(|export| export.0);
    let paths = lists.filter(|list| !list.starts_with("timer::"));
    let names = paths.filter_map(|path| path.split_once("::")).map(|path| path.1);
    let names = names.flat_map(|names| names.trim_matches(['{', '}']).split(',')).map(str::trim);
    names.filter(|name| !name.is_empty()).collect()
}

fn lines_of_code(source: &str) -> usize {
    let lines = source.lines().map(str::trim_start);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn adapters_reexport_the_same_names_and_stay_small() {
    let adapters = [
        ("heartbeat-tokio", include_str!("../src/lib.rs"), include_str!("../src/timer.rs")),
        (
            "heartbeat-smol",
            include_str!("../../heartbeat-smol/src/lib.rs"),
            include_str!("../../heartbeat-smol/src/timer.rs"),
        ),
        (
            "heartbeat-async-std",
            include_str!("../../heartbeat-async-std/src/lib.rs"),
            include_str!("../../heartbeat-async-std/src/timer.rs"),
        ),
    ];
    let names = names_in(adapters[0].1);
    assert!(names.contains("Config") && names.contains("StreamingMethods"), "{names:?}");
    for (adapter, lib, timer) in adapters {
        assert_eq!(names_in(lib), names, "{adapter}");
        let lines = lines_of_code(lib) + lines_of_code(timer);
        assert!(lines < 80, "{adapter} has {lines} lines of code");
    }
}
