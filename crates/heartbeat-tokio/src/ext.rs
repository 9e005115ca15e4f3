use std::time::Duration;

use futures_core::Stream;
use heartbeat_async::{Config, MakeHeartbeat, MakeOk, NoObserver};

use crate::{Hub, TokioTimer};

/// A stream with heartbeats on tokio's timer; see [`heartbeat_async::HeartbeatStream`].
///
/// On a [`Hub`] it is a `HeartbeatStream<S, B, Hub>`.
pub type HeartbeatStream<S, B, P = TokioTimer, O = NoObserver> =
    heartbeat_async::HeartbeatStream<S, B, P, O>;

/// A stream that notices when its peer has fallen silent; see [`heartbeat_async::WatchdogStream`].
pub type WatchdogStream<S, P = fn(&<S as Stream>::Item) -> bool> =
    heartbeat_async::WatchdogStream<S, TokioTimer, P>;

/// Adds heartbeats to any stream, and watches those of a peer.
pub trait HeartbeatStreamExt: Stream {
    /// Yields the items of this stream, and a heartbeat whenever it has been silent for an interval.
    ///
    /// `config` is the interval, or a [`Config`] with more to it; an interval of zero switches
    /// heartbeats off (T1). `beat` makes the heartbeats: a closure, or whatever implements [`MakeHeartbeat`].
    /// The silence begins now (T2).
    ///
    /// If the stream has heartbeats of somebody else's already, tell so with
    /// [`treat_as_heartbeat`](heartbeat_async::HeartbeatStream::treat_as_heartbeat), lest they pass for signs of life
    /// (T21).
    ///
    /// # Example
    ///
    /// ```
    /// # use std::time::Duration;
    /// use heartbeat_tokio::{Config, HeartbeatStreamExt, Jitter};
    ///
    /// # fn stream() -> Result<(), heartbeat_tokio::InvalidJitter> {
    /// # let events = futures_util::stream::empty();
    /// let config = Config::every(Duration::from_secs(25)).with_jitter(Jitter::try_from(0.1)?);
    /// let events = events.heartbeat(config, || String::from(":\n"));
    /// # Ok(())
    /// # }
    /// ```
    fn heartbeat<B>(self, config: impl Into<Config>, beat: B) -> HeartbeatStream<Self, B>
    where
        Self: Sized,
        B: MakeHeartbeat<Self::Item>,
    {
        heartbeat_async::HeartbeatStreamExt::heartbeat(self, TokioTimer, config, beat)
    }

    /// The same for a stream of `Result`: each heartbeat is an `Ok`, an `Err` is no send, and no
    /// heartbeat follows it until an `Ok` does (T17).
    ///
    /// # Example
    ///
    /// ```
    /// # use std::time::Duration;
    /// use heartbeat_tokio::HeartbeatStreamExt;
    ///
    /// # let events = futures_util::stream::empty::<Result<String, std::io::Error>>();
    /// let events = events.try_heartbeat(Duration::from_secs(15), || String::from(":\n"));
    /// ```
    fn try_heartbeat<T, E, B>(
        self,
        config: impl Into<Config>,
        beat: B,
    ) -> HeartbeatStream<Self, MakeOk<B>>
    where
        Self: Stream<Item = Result<T, E>> + Sized,
        B: MakeHeartbeat<T>,
    {
        heartbeat_async::HeartbeatStreamExt::try_heartbeat(self, TokioTimer, config, beat)
    }

    /// The same as [`heartbeat`](Self::heartbeat), on the one alarm of a hub.
    fn heartbeat_on<B>(
        self,
        hub: &Hub,
        config: impl Into<Config>,
        beat: B,
    ) -> HeartbeatStream<Self, B, Hub>
    where
        Self: Sized,
        B: MakeHeartbeat<Self::Item>,
    {
        heartbeat_async::HeartbeatStreamExt::heartbeat(self, hub.clone(), config, beat)
    }

    /// The same as [`try_heartbeat`](Self::try_heartbeat), on the one alarm of a hub.
    fn try_heartbeat_on<T, E, B>(
        self,
        hub: &Hub,
        config: impl Into<Config>,
        beat: B,
    ) -> HeartbeatStream<Self, MakeOk<B>, Hub>
    where
        Self: Stream<Item = Result<T, E>> + Sized,
        B: MakeHeartbeat<T>,
    {
        heartbeat_async::HeartbeatStreamExt::try_heartbeat(self, hub.clone(), config, beat)
    }

    /// The receiving side: yields the items of this stream, and an error once nothing was received
    /// for the whole timeout (T14). Take some three intervals of the peer's heartbeats.
    ///
    /// # Example
    ///
    /// ```
    /// # use std::time::Duration;
    /// use heartbeat_tokio::HeartbeatStreamExt;
    ///
    /// # let lines = futures_util::stream::empty::<String>();
    /// let lines = lines.watchdog(Duration::from_secs(45));
    /// let lines = lines.skip_heartbeats(|line| line.is_empty());
    /// ```
    fn watchdog(self, timeout: Duration) -> WatchdogStream<Self>
    where
        Self: Sized,
    {
        heartbeat_async::HeartbeatStreamExt::watchdog(self, TokioTimer, timeout)
    }
}

impl<S: Stream + ?Sized> HeartbeatStreamExt for S {}
