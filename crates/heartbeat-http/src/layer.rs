use std::fmt;
use std::sync::Arc;

use heartbeat_async::{Hub, NoObserver, Telemetry, Timer};
use http::request::Parts;
use tower_layer::Layer;

use crate::{HeartbeatPolicy, HeartbeatService};

/// A tower layer that adds heartbeats to quiet streaming responses, for axum, tonic and other tower services over HTTP.
///
/// The content type of the response and the [`HeartbeatPolicy`] for the request decide which responses get heartbeats. By
/// default only `text/event-stream` does.
///
/// These responses pass through unchanged. Each is reported with its [`PassthroughReason`](crate::PassthroughReason):
///
/// - content types that the policy does not name;
/// - responses to CONNECT;
/// - every status that is not a success, and 204, 205 and 206;
/// - responses with a known length: by `Content-Length` or by an exact size hint;
/// - encoded responses (`Content-Encoding`, unless all its members are `identity` or `none`);
/// - responses with a digest (`Content-Digest`, `Repr-Digest`, `Digest`, `Content-MD5`), also if `Trailer` announces it;
/// - signed responses, if `Signature-Input` covers a digest or a header that this layer changes, or `Trailer` announces a
///   signature;
/// - responses with `grpc-status` in their headers;
/// - responses that another `HeartbeatLayer` keeps alive already.
///
/// # Headers
///
/// A response that is kept alive no longer promises exact bytes, since heartbeats change them. As layers that compress do,
/// this layer makes a strong `ETag` weak and removes `Accept-Ranges`: a client that resumed at a byte offset would lose as
/// many bytes as it got heartbeats. SSE and NDJSON responses also get the
/// [headers for proxies](HeartbeatPolicy::with_proxy_headers).
///
/// The response to HEAD gets the headers that the response to GET would get. If the handler leaves out its body, the layer
/// takes it for a stream.
///
/// # Compression
///
/// Put a compression layer outside of this one. It compresses heartbeats as a part of the body, and has to flush them, as
/// the layer of tower-http does. A response that an inner layer has compressed passes through unchanged.
///
/// # Example
///
/// The adapters export this layer with their timer. On tokio one line keeps every SSE response of an axum router alive:
/// `.layer(HeartbeatLayer::new(Duration::from_secs(15)))`. A complete policy:
///
/// ```
/// use std::time::Duration;
///
/// use heartbeat_async::virtual_time::VirtualTime;
/// use heartbeat_frame::HeartbeatMessage;
/// use heartbeat_http::{HeartbeatLayer, StreamingMethods, HeartbeatPolicy};
///
/// let streams = StreamingMethods::paths(["/galaxy.gateway.v1.GatewayService/Subscribe"]);
/// let policy = HeartbeatPolicy::new(Duration::from_secs(15))
///     .with_rpc(streams, HeartbeatMessage::gateway_event());
/// let layer = HeartbeatLayer::with_scheduler(VirtualTime::new(), policy)
///     .with_route(|request| request.uri.path().starts_with("/eager/"), Duration::from_secs(1))
///     .without_heartbeats(|request| request.uri.path() == "/never");
/// ```
#[must_use = "a layer does nothing until a service is wrapped in it"]
pub struct HeartbeatLayer<P, O = NoObserver> {
    scheduler: P,
    policies: Arc<RoutedPolicies<O>>,
}

impl<P: Default, O: Telemetry + Clone> HeartbeatLayer<P, O> {
    /// A layer with the default scheduler. `policy` is an interval, a [`Config`](heartbeat_async::Config) or a
    /// [`HeartbeatPolicy`], which may have an [observer](HeartbeatPolicy::with_observer).
    pub fn new(policy: impl Into<HeartbeatPolicy<O>>) -> Self {
        Self::with_scheduler(P::default(), policy)
    }
}

impl<P, O: Telemetry + Clone> HeartbeatLayer<P, O> {
    /// A layer with this scheduler: a timer, or a [`Hub`] that all responses share.
    pub fn with_scheduler(scheduler: P, policy: impl Into<HeartbeatPolicy<O>>) -> Self {
        let policies = RoutedPolicies { routes: Vec::new(), default: Arc::new(policy.into()) };
        Self { scheduler, policies: Arc::new(policies) }
    }

    /// Puts the heartbeats of all responses on a hub, which serves many quiet responses with one sleep.
    pub fn on_hub<T: Timer>(self, hub: &Hub<T>) -> HeartbeatLayer<Hub<T>, O> {
        HeartbeatLayer { scheduler: hub.clone(), policies: self.policies }
    }

    /// Sends no heartbeats to requests for which `matches` returns true. The observer of the layer is notified that such a
    /// response passes through, and of nothing else.
    ///
    /// It goes before all [routes](Self::with_route), in whatever order they are added.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    ///
    /// use heartbeat_async::Counters;
    /// use heartbeat_async::virtual_time::VirtualTime;
    /// use heartbeat_http::{HeartbeatLayer, HeartbeatPolicy};
    ///
    /// let policy = HeartbeatPolicy::new(Duration::from_secs(15)).with_observer(Arc::new(Counters::default()));
    /// let layer = HeartbeatLayer::with_scheduler(VirtualTime::new(), policy)
    ///     .without_heartbeats(|request| request.uri.path().starts_with("/legacy/"));
    /// ```
    pub fn without_heartbeats(
        mut self,
        matches: impl Fn(&Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        let policy = Arc::new(self.policies.default.disabled());
        let route = PolicyRoute { matches: Arc::new(matches), policy };
        Arc::make_mut(&mut self.policies).routes.insert(0, route);
        self
    }

    /// Uses another policy for requests for which `matches` returns true. The first route that matches is used, in the order
    /// in which the routes were added.
    ///
    /// All policies of a layer have observers of one type, for example `Arc<dyn Observer + Send + Sync>`: in a layer with an
    /// observer pass `HeartbeatPolicy::new(interval).with_observer(…)`, not an interval. To disable heartbeats, [`without_heartbeats`](Self::without_heartbeats) is shorter.
    ///
    /// `matches` gets the extensions of the request, which include those of the framework. axum's `MatchedPath` is among them if
    /// the layer is added with `Router::layer` or `Router::route_layer`, and is not if the layer is around the router.
    pub fn with_route(
        mut self,
        matches: impl Fn(&Parts) -> bool + Send + Sync + 'static,
        policy: impl Into<HeartbeatPolicy<O>>,
    ) -> Self {
        let route = PolicyRoute { matches: Arc::new(matches), policy: Arc::new(policy.into()) };
        Arc::make_mut(&mut self.policies).routes.push(route);
        self
    }
}

impl<S, P: Clone, O> Layer<S> for HeartbeatLayer<P, O> {
    type Service = HeartbeatService<S, P, O>;

    fn layer(&self, inner: S) -> Self::Service {
        HeartbeatService::new(inner, self.scheduler.clone(), Arc::clone(&self.policies))
    }
}

impl<P: Clone, O> Clone for HeartbeatLayer<P, O> {
    fn clone(&self) -> Self {
        Self { scheduler: self.scheduler.clone(), policies: Arc::clone(&self.policies) }
    }
}

impl<P, O> fmt::Debug for HeartbeatLayer<P, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatLayer").field("policies", &self.policies).finish_non_exhaustive()
    }
}

/// The policies of a layer, and which requests they are for.
pub(crate) struct RoutedPolicies<O> {
    routes: Vec<PolicyRoute<O>>,
    default: Arc<HeartbeatPolicy<O>>,
}

struct PolicyRoute<O> {
    matches: Arc<dyn Fn(&Parts) -> bool + Send + Sync>,
    policy: Arc<HeartbeatPolicy<O>>,
}

impl<O> RoutedPolicies<O> {
    pub(crate) fn of(&self, request: &Parts) -> &Arc<HeartbeatPolicy<O>> {
        let route = self.routes.iter().find(|route| (route.matches)(request));
        route.map_or(&self.default, |route| &route.policy)
    }
}

impl<O> Clone for RoutedPolicies<O> {
    fn clone(&self) -> Self {
        let route = |PolicyRoute { matches, policy }: &_| PolicyRoute {
            matches: Arc::clone(matches),
            policy: Arc::clone(policy),
        };
        let routes = self.routes.iter().map(route).collect();
        Self { routes, default: Arc::clone(&self.default) }
    }
}

impl<O> fmt::Debug for RoutedPolicies<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.routes.iter().map(|route| &route.policy);
        f.debug_list().entries(routes).entry(&self.default).finish()
    }
}
