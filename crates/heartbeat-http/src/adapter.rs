/// Defines the layer and the body of an adapter, with its timer filled in.
///
/// The adapter calls it in addition to `heartbeat_async::adapter!`, which makes the alias `Hub`, and has a feature
/// `http`.
///
/// - `timer`: the adapter's timer, a unit struct.
/// - `package`: the adapter's crate name, for the example.
/// - `runtime`: the name of the runtime, for the documentation.
#[doc(hidden)]
#[macro_export]
macro_rules! adapter {
    (timer: $timer:ident, package: $package:literal, runtime: $runtime:literal $(,)?) => {
        #[doc = concat!("Keeps the quiet responses of a server alive, on ", $runtime, "'s timers.")]
        ///
        /// Needs the feature `http`. Methods and details: [`heartbeat_http::HeartbeatLayer`].
        ///
        /// # Example
        ///
        /// ```
        /// use std::time::Duration;
        ///
        #[doc = concat!("use ", $package, "::{HeartbeatLayer, HeartbeatMessage, HeartbeatPolicy, StreamingMethods};")]
        ///
        /// // For all server-sent events of an axum router:
        /// let layer = HeartbeatLayer::new(Duration::from_secs(15));
        ///
        /// // For one method of a gRPC service:
        /// let streams = StreamingMethods::paths(["/galaxy.gateway.v1.GatewayService/Subscribe"]);
        /// let policy = HeartbeatPolicy::new(Duration::from_secs(15));
        /// let layer = HeartbeatLayer::new(policy.with_rpc(streams, HeartbeatMessage::empty()));
        /// ```
        pub type HeartbeatLayer<O = $crate::NoObserver> = $crate::HeartbeatLayer<$timer, O>;

        #[doc = concat!("A body with heartbeats, on ", $runtime, "'s timers or on a [`Hub`](heartbeat_async::Hub).")]
        ///
        /// Needs the feature `http`. Methods and details: [`heartbeat_http::HeartbeatBody`].
        pub type HeartbeatBody<B, P = $timer, O = $crate::NoObserver> =
            $crate::HeartbeatBody<B, P, O>;
    };
}
