use heartbeat_async::NoObserver;

use crate::AsyncStdTimer;

/// Keeps the quiet responses of a server alive on async-io's timers; see [`heartbeat_http::HeartbeatLayer`].
///
/// Needs the feature `http`.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use heartbeat_async_std::{HeartbeatLayer, HeartbeatMessage, StreamingMethods, HeartbeatPolicy};
///
/// // For all server-sent events of an axum router:
/// let layer = HeartbeatLayer::new(Duration::from_secs(15));
///
/// // And for one method of a gRPC service:
/// let streams = StreamingMethods::paths(["/galaxy.gateway.v1.GatewayService/Subscribe"]);
/// let policy = HeartbeatPolicy::new(Duration::from_secs(15));
/// let layer = HeartbeatLayer::new(policy.with_rpc(streams, HeartbeatMessage::empty()));
/// ```
pub type HeartbeatLayer<O = NoObserver> = heartbeat_http::HeartbeatLayer<AsyncStdTimer, O>;

/// A body with heartbeats on async-io's timers, or on a [`Hub`](crate::Hub);
/// see [`heartbeat_http::HeartbeatBody`].
///
/// Needs the feature `http`.
pub type HeartbeatBody<B, P = AsyncStdTimer, O = NoObserver> =
    heartbeat_http::HeartbeatBody<B, P, O>;
