//! The adapters offer the same names: changing the runtime is changing one dependency and one `use`.

use std::collections::BTreeSet;

/// A program that uses the names of an adapter but its timer's. It never waits, so it needs no runtime.
macro_rules! program_on {
    ($adapter:ident, $timer:ident) => {
        mod $adapter {
            use std::cell::Cell;
            use std::time::Duration;

            use ::$adapter::{
                Audience, BodyFraming, Classify, Config, Counters, CountersSnapshot, Driver,
                DriverError, HeartbeatBody, HeartbeatLayer, HeartbeatMessage, HeartbeatPolicy,
                HeartbeatStream, HeartbeatStreamExt, Hub, HubError, HubTask, InvalidDescriptorSet,
                InvalidJitter, ItemKind, Jitter, MakeHeartbeat, MakeOk, NdjsonHeartbeat,
                NoObserver, Observer, Outcome, RpcHeartbeat, Sender, SseHeartbeat,
                StreamingMethods, TimedOut, WatchdogStream, heartbeat_sink, heartbeat_sink_on,
                $timer,
            };
            use futures_util::sink::{self, Drain};
            use futures_util::{FutureExt, Stream, StreamExt, stream};
            use http_body_util::BodyExt;

            struct Dots;

            impl MakeHeartbeat<char> for Dots {
                fn make(&mut self) -> char {
                    '.'
                }

                fn classify(&mut self, _: &char) -> ItemKind {
                    ItemKind::Event
                }
            }

            struct Lost(Cell<u32>);

            impl Observer for Lost {
                fn on_heartbeat(&self, outcome: Outcome, _: Duration, _: Option<usize>) {
                    self.0.set(self.0.get() + u32::from(outcome == Outcome::Error));
                }
            }

            type IsDot = fn(&char) -> bool;

            fn counted<S: Stream<Item = char>>(
                letters: S,
                counters: &Counters,
            ) -> Result<HeartbeatStream<S, Classify<Dots, IsDot>, $timer, &Counters>, InvalidJitter>
            {
                let jitter = Jitter::try_from(0.1)?;
                let config = Config::every(Duration::from_secs(1)).with_jitter(jitter);
                let is_dot: IsDot = |letter| *letter == '.';
                Ok(letters
                    .heartbeat(config, Dots)
                    .treat_as_heartbeat(is_dot)
                    .with_observer(counters))
            }

            fn fallible<S: Stream<Item = Result<char, ()>>>(
                letters: S,
            ) -> HeartbeatStream<S, MakeOk<Dots>> {
                letters.try_heartbeat(Duration::from_secs(1), Dots)
            }

            type Pushed<B> = (Sender<char, Drain<char>, B>, Driver<char, Drain<char>, B>);

            fn pushed() -> Pushed<Dots> {
                heartbeat_sink(sink::drain(), Duration::from_secs(1), Dots)
            }

            fn watched<S: Stream<Item = char>>(letters: S) -> WatchdogStream<S> {
                letters.watchdog(Duration::from_secs(1))
            }

            /// Whoever spawns them relies on it.
            #[test]
            fn the_same_can_be_spawned() {
                fn can_be_spawned<T: Send>(it: T) -> T {
                    it
                }
                let (sender, driver) = can_be_spawned(pushed());
                let sender = sender.clone();
                drop(can_be_spawned(sender.send('a')));
                drop(can_be_spawned(sender.feed('a')));
                drop(can_be_spawned(sender.flush()));
                drop(can_be_spawned(sender.stop()));
                drop(can_be_spawned(sender.close()));
                drop(can_be_spawned(driver));
                drop(can_be_spawned(watched(stream::empty())));
                drop(can_be_spawned(fallible(stream::empty())));
            }

            fn layer(
                counters: &Counters,
            ) -> Result<HeartbeatLayer<&Counters>, InvalidDescriptorSet> {
                let messages = RpcHeartbeat::new(HeartbeatMessage::empty());
                let policy = HeartbeatPolicy::new(Duration::from_secs(1))
                    .with_sse(&SseHeartbeat::default())
                    .with_ndjson(NdjsonHeartbeat::Space)
                    .with_rpc(StreamingMethods::from_descriptor_set([])?, messages);
                Ok(HeartbeatLayer::new(policy.with_observer(counters)))
            }

            /// A hub whose task was never started: it says so, and all else is as it would be.
            #[test]
            fn the_same_program_shares_an_alarm() {
                fn can_be_spawned<T: Send>(it: T) -> T {
                    it
                }
                fn told_to<O: Audience>(hub: &Hub, audience: O) -> impl Stream<Item = char> {
                    let letters = stream::iter("ab".chars());
                    letters.heartbeat_on(hub, Duration::from_secs(1), Dots).with_observer(audience)
                }
                let (hub, task): (Hub, HubTask) = Hub::new();
                drop(can_be_spawned(task));
                let config = Duration::from_secs(1);
                let letters = told_to(&hub, NoObserver).collect::<String>();
                assert_eq!(letters.now_or_never(), Some("ab".to_owned()));
                let letters = stream::iter([Ok('a'), Err(())]).try_heartbeat_on(&hub, config, Dots);
                let letters = can_be_spawned(letters).collect::<Vec<_>>();
                assert_eq!(letters.now_or_never(), Some(vec![Ok('a'), Err(())]));
                let (sender, driver) = heartbeat_sink_on(sink::drain(), &hub, config, Dots);
                sender.send('a').now_or_never().expect("nobody else sends").expect("it is drained");
                let ended = can_be_spawned(driver).now_or_never();
                assert_eq!(ended, Some(Err(DriverError::Hub(HubError::Stopped))));
                drop(layer(&Counters::new()).map(|layer| layer.in_hub(&hub)));
            }

            type Nothing = http_body_util::Empty<tonic::codegen::Bytes>;

            fn kept_alive(body: Nothing) -> HeartbeatBody<Nothing> {
                let framing = BodyFraming::sse(&SseHeartbeat::default());
                HeartbeatBody::new(body, Default::default(), Duration::from_secs(1), framing)
            }

            #[test]
            fn the_same_program_keeps_responses_alive() {
                let counters = Counters::new();
                assert!(format!("{:?}", layer(&counters)).contains("interval: 1s"));
                assert!(kept_alive(Nothing::new()).collect().now_or_never().is_some());
            }

            #[test]
            fn the_same_program_sends_and_watches() {
                let (sender, driver) = pushed();
                sender.send('a').now_or_never().expect("nobody else sends").expect("it is drained");
                sender.stop().now_or_never().expect("nobody else sends");
                let ended: Option<Result<(), DriverError<_>>> = driver.now_or_never();
                assert_eq!(ended, Some(Ok(())));

                let letters = watched(stream::iter("ab".chars()));
                let received: Vec<Result<char, TimedOut>> =
                    letters.collect().now_or_never().expect("it ends");
                assert_eq!(received, [Ok('a'), Ok('b')]);
            }

            #[test]
            fn the_same_program_does_the_same() {
                let counters = Counters::new();
                let letters = counted(stream::iter("a.b".chars()), &counters).expect("valid");
                assert_eq!(letters.collect::<String>().now_or_never(), Some("a.b".to_owned()));
                let CountersSnapshot { sent, errors, .. } = counters.snapshot();
                assert_eq!((sent, errors), (0, 0));

                let lost = Lost(Cell::new(0));
                let letters = fallible(stream::iter([Ok('a'), Err(())])).with_observer(&lost);
                assert_eq!(
                    letters.collect::<Vec<_>>().now_or_never(),
                    Some(vec![Ok('a'), Err(())])
                );
                assert_eq!(lost.0.get(), 0);
            }
        }
    };
}

/// The names that an adapter offers, but for its timer's, and how many lines its sources have.
macro_rules! sources_of {
    ($adapter:literal) => {{
        let sources = [
            include_str!(concat!("../../", $adapter, "/src/lib.rs")),
            include_str!(concat!("../../", $adapter, "/src/ext.rs")),
            include_str!(concat!("../../", $adapter, "/src/http.rs")),
            include_str!(concat!("../../", $adapter, "/src/hub.rs")),
            include_str!(concat!("../../", $adapter, "/src/push.rs")),
            include_str!(concat!("../../", $adapter, "/src/timer.rs")),
        ];
        let code = |line: &&str| !line.trim_start().starts_with("//") && !line.trim().is_empty();
        let lines = sources.iter().flat_map(|source| source.lines()).filter(code).count();
        (names_in(sources[0]), lines)
    }};
}

fn names_in(lib: &str) -> BTreeSet<&str> {
    let exports = lib.split("pub use ").skip(1);
    let lists = exports.filter_map(|export| export.split_once(';')).map(|export| export.0);
    let paths = lists.filter(|list| !list.starts_with("timer::"));
    let names = paths.filter_map(|path| path.split_once("::")).map(|path| path.1);
    names.flat_map(|names| names.trim_matches(['{', '}']).split(',')).map(str::trim).collect()
}

#[test]
fn the_adapters_offer_the_same_names_in_few_lines() {
    let (names, _) = sources_of!("heartbeat-tokio");
    assert!(names.contains("HeartbeatStreamExt") && names.contains("heartbeat_sink"), "{names:?}");
    for (other, lines) in [
        sources_of!("heartbeat-tokio"),
        sources_of!("heartbeat-smol"),
        sources_of!("heartbeat-async-std"),
    ] {
        assert_eq!(other, names);
        assert!(lines < 200, "{lines} lines of code");
    }
}

program_on!(heartbeat_tokio, TokioTimer);
program_on!(heartbeat_smol, SmolTimer);
program_on!(heartbeat_async_std, AsyncStdTimer);
