use std::fmt;
use std::sync::Arc;

use heartbeat_async::{Audience, Hub, NoObserver, Timer};
use http::request::Parts;
use tower_layer::Layer;

use crate::{HeartbeatPolicy, HeartbeatService};

/// Keeps the quiet responses of a server alive, whatever makes them: the layer for axum, for tonic, and
/// for whatever else is a tower service over HTTP.
///
/// What is kept alive the content type of the response tells, and the [`HeartbeatPolicy`] for the request. By
/// default that is `text/event-stream` alone.
///
/// These pass as they are: what no policy names; HEAD and CONNECT; every status but success, and 204,
/// 205 and 206; a response that says how long it is, in its headers or by an exact size hint; one that is
/// encoded (`Content-Encoding`, unless that says `identity` or `none`) or of which there is a digest; one with
/// `grpc-status` in its headers; one that another such layer keeps alive already (T21).
///
/// # Compression
///
/// A layer that compresses goes outside of this one: it takes the heartbeats for a part of the body, and
/// has to flush them, as tower-http's does. Inside of this one it hides from it what it compresses, and
/// that passes as it is.
///
/// # Example
///
/// The adapters have it with their timer filled in. On tokio one line keeps every SSE response of an
/// axum router alive: `.layer(HeartbeatLayer::new(Duration::from_secs(15)))`. With all there is to it:
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
///     .with_route(|request| request.uri.path() == "/never", Duration::ZERO);
/// ```
#[must_use = "a layer does nothing until it is put around a service"]
pub struct HeartbeatLayer<P, O = NoObserver> {
    scheduler: P,
    policies: Arc<Policies<O>>,
}

impl<P: Default, O: Audience + Clone> HeartbeatLayer<P, O> {
    /// Keeps responses alive as `policy` has it: an interval, a [`Config`](heartbeat_async::Config), or a
    /// whole [`HeartbeatPolicy`].
    pub fn new(policy: impl Into<HeartbeatPolicy<O>>) -> Self {
        Self::with_scheduler(P::default(), policy)
    }
}

impl<P, O: Audience + Clone> HeartbeatLayer<P, O> {
    /// The same with a timer that cannot be had for nothing, or a [`Hub`].
    pub fn with_scheduler(scheduler: P, policy: impl Into<HeartbeatPolicy<O>>) -> Self {
        let policies = Policies { routes: Vec::new(), default: Arc::new(policy.into()) };
        Self { scheduler, policies: Arc::new(policies) }
    }

    /// Has the heartbeats of all responses on a hub, which serves many at a time.
    pub fn in_hub<T: Timer>(self, hub: &Hub<T>) -> HeartbeatLayer<Hub<T>, O> {
        HeartbeatLayer { scheduler: hub.clone(), policies: self.policies }
    }

    /// Has another policy for some requests. The first route that a request is on counts.
    ///
    /// All policies of a layer have observers of one type, an `Arc<dyn Observer + Send + Sync>` say. By
    /// the extensions of a request a route may know what a framework has found out, such as axum's
    /// `MatchedPath` in a layer that is put around the routes.
    pub fn with_route(
        mut self,
        matches: impl Fn(&Parts) -> bool + Send + Sync + 'static,
        policy: impl Into<HeartbeatPolicy<O>>,
    ) -> Self {
        let route = Route { matches: Arc::new(matches), policy: Arc::new(policy.into()) };
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

/// Which policy there is for which request.
pub(crate) struct Policies<O> {
    routes: Vec<Route<O>>,
    default: Arc<HeartbeatPolicy<O>>,
}

struct Route<O> {
    matches: Arc<dyn Fn(&Parts) -> bool + Send + Sync>,
    policy: Arc<HeartbeatPolicy<O>>,
}

impl<O> Policies<O> {
    pub(crate) fn of(&self, request: &Parts) -> &Arc<HeartbeatPolicy<O>> {
        let route = self.routes.iter().find(|route| (route.matches)(request));
        route.map_or(&self.default, |route| &route.policy)
    }
}

impl<O> Clone for Policies<O> {
    fn clone(&self) -> Self {
        let route = |Route { matches, policy }: &_| Route {
            matches: Arc::clone(matches),
            policy: Arc::clone(policy),
        };
        let routes = self.routes.iter().map(route).collect();
        Self { routes, default: Arc::clone(&self.default) }
    }
}

impl<O> fmt::Debug for Policies<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.routes.iter().map(|route| &route.policy);
        f.debug_list().entries(routes).entry(&self.default).finish()
    }
}
