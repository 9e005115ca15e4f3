//! The adapters offer the same names: changing the runtime is changing one dependency and one `use`.

/// A program that uses every name of an adapter but its timer's. It never waits, so it needs no
/// runtime.
macro_rules! program_on {
    ($adapter:ident) => {
        mod $adapter {
            use std::cell::Cell;
            use std::time::Duration;

            use ::$adapter::{
                Beat, Config, Counters, Counts, HeartbeatStream, HeartbeatStreamExt, InvalidJitter,
                Jitter, Kind, NoObserver, Observer, Outcome, Recognize, TryBeat,
            };
            use futures_util::{FutureExt, Stream, StreamExt, stream};

            struct Dots;

            impl Beat<char> for Dots {
                fn heartbeat(&mut self) -> char {
                    '.'
                }

                fn kind(&mut self, _: &char) -> Kind {
                    Kind::Real
                }
            }

            struct Lost(Cell<u32>);

            impl Observer for Lost {
                fn heartbeat(&self, outcome: Outcome, _: Duration, _: Option<usize>) {
                    self.0.set(self.0.get() + u32::from(outcome == Outcome::Error));
                }
            }

            type IsDot = fn(&char) -> bool;

            fn counted<S: Stream<Item = char>>(
                letters: S,
                counters: &Counters,
            ) -> Result<HeartbeatStream<S, Recognize<Dots, IsDot>, &Counters>, InvalidJitter> {
                let jitter = Jitter::try_from(0.1)?;
                let config = Config::every(Duration::from_secs(1)).with_jitter(jitter);
                let is_dot: IsDot = |letter| *letter == '.';
                Ok(letters.heartbeat(config, Dots).recognize(is_dot).observe(counters))
            }

            fn fallible<S: Stream<Item = Result<char, ()>>>(
                letters: S,
            ) -> HeartbeatStream<S, TryBeat<Dots>, NoObserver> {
                letters.try_heartbeat(Duration::from_secs(1), Dots)
            }

            #[test]
            fn the_same_program_does_the_same() {
                let counters = Counters::new();
                let letters = counted(stream::iter("a.b".chars()), &counters).expect("valid");
                assert_eq!(letters.collect::<String>().now_or_never(), Some("a.b".to_owned()));
                let Counts { sent, errors, .. } = counters.counts();
                assert_eq!((sent, errors), (0, 0));

                let lost = Lost(Cell::new(0));
                let letters = fallible(stream::iter([Ok('a'), Err(())])).observe(&lost);
                assert_eq!(
                    letters.collect::<Vec<_>>().now_or_never(),
                    Some(vec![Ok('a'), Err(())])
                );
                assert_eq!(lost.0.get(), 0);
            }
        }
    };
}

program_on!(heartbeat_tokio);
program_on!(heartbeat_smol);
program_on!(heartbeat_async_std);
