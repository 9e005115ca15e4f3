use core::time::Duration;

use futures_core::Stream;
use heartbeat_core::Config;

use crate::{HeartbeatStream, MakeHeartbeat, MakeOk, Scheduler, Timer, WatchdogStream};

/// Adds heartbeats to any stream, on any timer or hub. The adapters have a trait of the same name, with
/// the timer filled in.
pub trait HeartbeatStreamExt: Stream {
    /// Yields the items of this stream, and a heartbeat whenever it has been silent for an interval:
    /// [`HeartbeatStream::new`].
    fn heartbeat<P, B>(
        self,
        scheduler: P,
        config: impl Into<Config>,
        beat: B,
    ) -> HeartbeatStream<Self, B, P>
    where
        Self: Sized,
        P: Scheduler,
        B: MakeHeartbeat<Self::Item>,
    {
        HeartbeatStream::new(self, scheduler, config, beat)
    }

    /// The same for a stream of `Result`: each heartbeat is an `Ok`, an `Err` is no send, and no
    /// heartbeat follows it until an `Ok` does (T17).
    fn try_heartbeat<Item, E, P, B>(
        self,
        scheduler: P,
        config: impl Into<Config>,
        beat: B,
    ) -> HeartbeatStream<Self, MakeOk<B>, P>
    where
        Self: Stream<Item = Result<Item, E>> + Sized,
        P: Scheduler,
        B: MakeHeartbeat<Item>,
    {
        HeartbeatStream::new(self, scheduler, config, MakeOk::new(beat))
    }

    /// The receiving side: yields the items of this stream, and an error once nothing was received
    /// for the whole timeout: [`WatchdogStream::new`].
    fn watchdog<T>(self, timer: T, timeout: Duration) -> WatchdogStream<Self, T>
    where
        Self: Sized,
        T: Timer,
    {
        WatchdogStream::new(self, timer, timeout)
    }
}

impl<S: Stream + ?Sized> HeartbeatStreamExt for S {}
