//! What the adapters (`heartbeat-tokio` and its siblings) have in common.
//!
//! An adapter defines a [`Timer`](crate::Timer), calls [`adapter!`](crate::adapter!) once, and re-exports
//! the rest of this crate. The macro exists because the names of an adapter have the timer filled in: its
//! users write no type parameter and pass no timer.

pub use core::time::Duration;

pub use futures_core::Stream;
pub use futures_sink::Sink;

/// Defines the names of an adapter: type aliases with its timer as the default, an extension trait, and the
/// two functions for sinks.
///
/// - `timer`: the adapter's timer, a unit struct.
/// - `package`: the adapter's crate name, for the examples.
/// - `runtime`: the name of the runtime, for the documentation.
/// - `spawn`: what stands before and after a future to spawn it, for the examples.
#[doc(hidden)]
#[macro_export]
macro_rules! adapter {
    (
        timer: $timer:ident,
        package: $package:literal,
        runtime: $runtime:literal,
        spawn: [$spawn:literal, $end:literal] $(,)?
    ) => {
        #[doc = concat!("A stream with heartbeats, on ", $runtime, "'s timers or on a [`Hub`].")]
        ///
        /// On a [`Hub`] its type is `HeartbeatStream<S, B, Hub>`. Methods and details:
        /// [`heartbeat_async::HeartbeatStream`].
        pub type HeartbeatStream<S, B, P = $timer, O = $crate::NoObserver> =
            $crate::HeartbeatStream<S, B, P, O>;

        #[doc = concat!("A stream that ends with an error once its peer has been silent for a timeout, on ", $runtime, "'s timers.")]
        ///
        /// Methods and details: [`heartbeat_async::WatchdogStream`].
        pub type WatchdogStream<S, F = fn(&<S as $crate::adapter::Stream>::Item) -> bool> =
            $crate::WatchdogStream<S, $timer, F>;

        /// Sends items into a sink to which a [`Driver`] sends heartbeats.
        ///
        /// Methods and details: [`heartbeat_async::Sender`].
        pub type Sender<Item, Si, B, P = $timer> = $crate::Sender<Item, Si, B, P>;

        #[doc = concat!("Sends the heartbeats of a sink, on ", $runtime, "'s timers or on a [`Hub`].")]
        ///
        /// Methods and details: [`heartbeat_async::Driver`].
        pub type Driver<Item, Si, B, P = $timer, O = $crate::NoObserver> =
            $crate::Driver<Item, Si, B, P, O>;

        #[doc = concat!("One of ", $runtime, "'s timers for the heartbeats of many streams.")]
        ///
        /// A stream on a hub takes a fraction of the memory of a stream with a timer of its own, and less CPU.
        /// A hub is worth it from a few hundred quiet streams on.
        ///
        /// Methods and details: [`heartbeat_async::Hub`].
        ///
        /// # Example
        ///
        /// ```
        /// use std::time::Duration;
        ///
        #[doc = concat!("use ", $package, "::{HeartbeatStreamExt, Hub};")]
        ///
        /// # fn serve() {
        /// let (hub, task) = Hub::new();
        #[doc = concat!($spawn, "task", $end)]
        ///
        /// # let events = futures_util::stream::empty();
        /// let events = events.heartbeat_on(&hub, Duration::from_secs(15), || String::from(":\n"));
        /// # }
        /// ```
        pub type Hub = $crate::Hub<$timer>;

        /// The task of a [`Hub`]: spawn it, or the streams on the hub get no heartbeats.
        ///
        /// Methods and details: [`heartbeat_async::HubTask`].
        pub type HubTask = $crate::HubTask<$timer>;

        #[doc = concat!("Adds heartbeats to any stream, and a timeout to the streams of a peer, on ", $runtime, "'s timers.")]
        ///
        /// The trait of `heartbeat-async` and those of the other adapters have methods of the same names. Import one of
        /// them; where a module needs two, call the other as
        #[doc = concat!("`", $package, "::HeartbeatStreamExt::heartbeat(stream, …)`.")]
        pub trait HeartbeatStreamExt: $crate::adapter::Stream {
            /// Yields the items of this stream, and a heartbeat whenever it has been silent for an interval.
            ///
            /// `config` is the interval, or a [`Config`] with more settings. An interval of zero disables
            /// heartbeats ([T1](heartbeat_async::rules#t1-disabled)). `make_heartbeat` makes each heartbeat: a
            /// closure, or a type that implements [`MakeHeartbeat`]. The first interval starts with this call
            /// ([T2](heartbeat_async::rules#t2-first-heartbeat)).
            ///
            /// For a stream of [`Result`]s use [`try_heartbeat`](Self::try_heartbeat). To call `next()` on the stream, pin
            /// it first, with [`pin!`](std::pin::pin) or `Box::pin`.
            ///
            /// If the stream already contains heartbeats from another source, declare them with
            /// [`treat_as_heartbeat`](heartbeat_async::HeartbeatStream::treat_as_heartbeat);
            /// otherwise they count as events ([T21](heartbeat_async::rules#t21-nesting)).
            ///
            /// # Example
            ///
            /// ```
            /// use std::time::Duration;
            ///
            #[doc = concat!("use ", $package, "::{Config, HeartbeatStreamExt, Jitter};")]
            ///
            #[doc = concat!("# fn stream() -> Result<(), ", $package, "::InvalidJitter> {")]
            /// # let events = futures_util::stream::empty();
            /// let config = Config::every(Duration::from_secs(25)).with_jitter(Jitter::try_from(0.1)?);
            /// let events = events.heartbeat(config, || String::from(":\n"));
            /// # Ok(())
            /// # }
            /// ```
            fn heartbeat<B>(
                self,
                config: impl Into<$crate::Config>,
                make_heartbeat: B,
            ) -> HeartbeatStream<Self, B>
            where
                Self: Sized,
                B: $crate::MakeHeartbeat<Self::Item>,
            {
                $crate::HeartbeatStreamExt::heartbeat(self, $timer, config, make_heartbeat)
            }

            /// Like [`heartbeat`](Self::heartbeat), for a stream of `Result`.
            ///
            /// Each heartbeat is an `Ok`. An `Err` does not reset the timer, and no heartbeat is sent between an
            /// `Err` and the next `Ok` ([T17](heartbeat_async::rules#t17-pull-side)). If the consumer skips errors,
            /// filter them first: `events.filter(|event| ready(event.is_ok())).try_heartbeat(…)`.
            ///
            /// # Example
            ///
            /// ```
            /// use std::time::Duration;
            ///
            #[doc = concat!("use ", $package, "::HeartbeatStreamExt;")]
            ///
            /// # let events = futures_util::stream::empty::<Result<String, std::io::Error>>();
            /// let events = events.try_heartbeat(Duration::from_secs(15), || String::from(":\n"));
            /// ```
            fn try_heartbeat<T, E, B>(
                self,
                config: impl Into<$crate::Config>,
                make_heartbeat: B,
            ) -> HeartbeatStream<Self, $crate::MakeOk<B>>
            where
                Self: $crate::adapter::Stream<Item = Result<T, E>> + Sized,
                B: $crate::MakeHeartbeat<T>,
            {
                $crate::HeartbeatStreamExt::try_heartbeat(self, $timer, config, make_heartbeat)
            }

            /// Like [`heartbeat`](Self::heartbeat), on the shared timer of a hub.
            fn heartbeat_on<B>(
                self,
                hub: &Hub,
                config: impl Into<$crate::Config>,
                make_heartbeat: B,
            ) -> HeartbeatStream<Self, B, Hub>
            where
                Self: Sized,
                B: $crate::MakeHeartbeat<Self::Item>,
            {
                $crate::HeartbeatStreamExt::heartbeat(self, hub.clone(), config, make_heartbeat)
            }

            /// Like [`try_heartbeat`](Self::try_heartbeat), on the shared timer of a hub.
            fn try_heartbeat_on<T, E, B>(
                self,
                hub: &Hub,
                config: impl Into<$crate::Config>,
                make_heartbeat: B,
            ) -> HeartbeatStream<Self, $crate::MakeOk<B>, Hub>
            where
                Self: $crate::adapter::Stream<Item = Result<T, E>> + Sized,
                B: $crate::MakeHeartbeat<T>,
            {
                $crate::HeartbeatStreamExt::try_heartbeat(self, hub.clone(), config, make_heartbeat)
            }

            /// Yields the items of this stream, and an error once nothing was received for `timeout`.
            ///
            /// For the receiving side. About three times the peer's heartbeat interval is a good timeout. See
            /// [T14](heartbeat_async::rules#t14-watchdog).
            ///
            /// # Example
            ///
            /// ```
            /// use std::time::Duration;
            ///
            #[doc = concat!("use ", $package, "::HeartbeatStreamExt;")]
            ///
            /// # let lines = futures_util::stream::empty::<String>();
            /// let lines = lines.watchdog(Duration::from_secs(45));
            /// let lines = lines.skip_heartbeats(|line| line.is_empty());
            /// ```
            fn watchdog(self, timeout: $crate::adapter::Duration) -> WatchdogStream<Self>
            where
                Self: Sized,
            {
                $crate::HeartbeatStreamExt::watchdog(self, $timer, timeout)
            }
        }

        impl<S: $crate::adapter::Stream + ?Sized> HeartbeatStreamExt for S {}

        /// Adds heartbeats to a sink: a channel, a WebSocket, the write half of a framed socket.
        ///
        /// Items go through the [`Sender`]. The [`Driver`] runs in a task of its own, and sends a heartbeat
        /// whenever the sink has accepted nothing for an interval. `config` is the interval, or a [`Config`]
        /// with more settings; `make_heartbeat` makes each heartbeat (see [`MakeHeartbeat`]).
        ///
        /// # Example
        ///
        /// ```
        /// use std::time::Duration;
        ///
        #[doc = concat!("use ", $package, "::heartbeat_sink;")]
        ///
        /// # async fn serve(socket: impl futures_util::Sink<&'static str, Error = std::io::Error> + Send + 'static) {
        /// let (sender, driver) = heartbeat_sink(socket, Duration::from_secs(15), || "heartbeat");
        #[doc = concat!($spawn, "driver", $end)]
        /// sender.send("event").await.expect("the socket is open");
        /// # }
        /// ```
        pub fn heartbeat_sink<Item, Si, B>(
            sink: Si,
            config: impl Into<$crate::Config>,
            make_heartbeat: B,
        ) -> (Sender<Item, Si, B>, Driver<Item, Si, B>)
        where
            Si: $crate::adapter::Sink<Item>,
            B: $crate::MakeHeartbeat<Item>,
        {
            $crate::heartbeat_sink(sink, $timer, config, make_heartbeat)
        }

        /// Like [`heartbeat_sink`], on the shared timer of a hub.
        #[expect(clippy::type_complexity, reason = "both ends have the same parameters")]
        pub fn heartbeat_sink_on<Item, Si, B>(
            sink: Si,
            hub: &Hub,
            config: impl Into<$crate::Config>,
            make_heartbeat: B,
        ) -> (Sender<Item, Si, B, Hub>, Driver<Item, Si, B, Hub>)
        where
            Si: $crate::adapter::Sink<Item>,
            B: $crate::MakeHeartbeat<Item>,
        {
            $crate::heartbeat_sink(sink, hub.clone(), config, make_heartbeat)
        }
    };
}
