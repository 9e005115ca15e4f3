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
/// use heartbeat_async_std::{HeartbeatLayer, HeartbeatMessage, Methods, Policy};
///
/// // For all server-sent events of an axum router:
/// let layer = HeartbeatLayer::new(Duration::from_secs(15));
///
/// // And for one method of a gRPC service:
/// let streams = Methods::paths(["/galaxy.gateway.v1.GatewayService/Subscribe"]);
/// let policy = Policy::new(Duration::from_secs(15));
/// let layer = HeartbeatLayer::new(policy.with_messages(streams, HeartbeatMessage::empty()));
/// ```
pub type HeartbeatLayer<O = NoObserver> = heartbeat_http::HeartbeatLayer<AsyncStdTimer, O>;

/// A body with heartbeats on async-io's timers, or on a [`Hub`](crate::Hub);
/// see [`heartbeat_http::HeartbeatBody`].
///
/// Needs the feature `http`.
pub type HeartbeatBody<B, O = NoObserver, P = AsyncStdTimer> =
    heartbeat_http::HeartbeatBody<B, P, O>;
