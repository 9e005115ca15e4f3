use core::time::Duration;

use futures_core::Stream;
use heartbeat_core::Config;

use crate::{HeartbeatStream, MakeHeartbeat, MakeOk, Scheduler, Timer, WatchdogStream};

/// Adds heartbeats to any stream, on any timer or hub.
///
/// The adapters have a trait with this name and their own timer. Import one of them: with two, a call such as
/// `stream.heartbeat(…)` is ambiguous.
pub trait HeartbeatStreamExt: Stream {
    /// Yields the items of this stream, and a heartbeat whenever it has been silent for an interval. See
    /// [`HeartbeatStream::new`].
    fn heartbeat<P, B>(
        self,
        scheduler: P,
        config: impl Into<Config>,
        make_heartbeat: B,
    ) -> HeartbeatStream<Self, B, P>
    where
        Self: Sized,
        P: Scheduler,
        B: MakeHeartbeat<Self::Item>,
    {
        HeartbeatStream::new(self, scheduler, config, make_heartbeat)
    }

    /// Like [`heartbeat`](Self::heartbeat), for a stream of `Result`. Each heartbeat is an `Ok`. An `Err` is no event, and
    /// no heartbeat is sent between an `Err` and the next `Ok`. See [T17](crate::rules#t17-pull-side).
    ///
    /// If the consumer skips errors, filter them first. A consumer that filters after the heartbeats skips the `Err`, and
    /// then gets no heartbeat until the next `Ok`.
    ///
    /// # Example
    ///
    /// ```
    /// use std::future::ready;
    /// use std::time::Duration;
    ///
    /// use futures_util::{StreamExt, stream};
    /// use heartbeat_async::HeartbeatStreamExt;
    /// use heartbeat_async::virtual_time::VirtualTime;
    ///
    /// let time = VirtualTime::new();
    /// let events = stream::iter([Ok("event"), Err("skipped")]).chain(stream::pending());
    /// let events = events.filter(|event| ready(event.is_ok()));
    /// let mut events = events.try_heartbeat(time.clone(), Duration::from_secs(15), || "heartbeat");
    ///
    /// time.block_on(async {
    ///     assert_eq!(events.next().await, Some(Ok("event")));
    ///     assert_eq!(events.next().await, Some(Ok("heartbeat")));
    /// });
    /// ```
    fn try_heartbeat<Item, E, P, B>(
        self,
        scheduler: P,
        config: impl Into<Config>,
        make_heartbeat: B,
    ) -> HeartbeatStream<Self, MakeOk<B>, P>
    where
        Self: Stream<Item = Result<Item, E>> + Sized,
        P: Scheduler,
        B: MakeHeartbeat<Item>,
    {
        HeartbeatStream::new(self, scheduler, config, MakeOk::new(make_heartbeat))
    }

    /// Yields the items of this stream, and an error once no item has come for `timeout`. See [`WatchdogStream::new`].
    fn watchdog<T>(self, timer: T, timeout: Duration) -> WatchdogStream<Self, T>
    where
        Self: Sized,
        T: Timer,
    {
        WatchdogStream::new(self, timer, timeout)
    }
}

impl<S: Stream + ?Sized> HeartbeatStreamExt for S {}
