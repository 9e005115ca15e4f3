use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{Request, Response};
use axum::routing::{get, post};
use heartbeat_async::{Config, Hub, Observer, Timer};
use heartbeat_frame::NdjsonHeartbeat;
use heartbeat_http::{HeartbeatLayer, HeartbeatPolicy, StreamingMethods};
use heartbeat_otel::OtelObserver;
use hyper::body::{Body, Incoming};
use tower::util::option_layer;
use tower_layer::Layer;
use tower_service::Service;

use super::cors::{self, Origin};
use super::messages::{self, SUBSCRIBE};
use super::subscriptions::Subscriptions;
use super::{lines, refusal};
use crate::feed::Feed;
use crate::front::{FrontOptions, StreamLimit};
use crate::message::Message;
use crate::metrics;

/// What is served: a feed, in every protocol, with heartbeats in its silences.
#[derive(Debug, Clone)]
#[must_use = "it is served by a listener"]
pub struct Gateway {
    feed: Feed,
    heartbeat: Config,
    observer: Option<OtelObserver>,
    max_streams: u32,
    origins: Vec<Origin>,
}

impl Gateway {
    /// Serves `feed`, with a heartbeat in each silence that `heartbeat` describes.
    pub fn new(feed: Feed, heartbeat: Config) -> Self {
        let max_streams = FrontOptions::default().max_streams;
        Self { feed, heartbeat, observer: None, max_streams, origins: Vec::new() }
    }

    /// Tells `observer` of each stream (T19). Without one nothing is measured.
    pub fn with_observer(self, observer: Option<OtelObserver>) -> Self {
        Self { observer, ..self }
    }

    /// Refuses requests beyond so many at once. Default: that of [`FrontOptions`].
    pub fn limit(self, max_streams: u32) -> Self {
        Self { max_streams, ..self }
    }

    /// Lets pages of these origins read what is served. Default: none.
    pub fn allow_origins(self, origins: Vec<Origin>) -> Self {
        Self { origins, ..self }
    }

    pub(super) fn has_heartbeats(&self) -> bool {
        !self.heartbeat.is_disabled()
    }

    /// The service, on the runtime of `timer`, with its heartbeats on a hub there.
    pub(super) fn service<T>(
        self,
        timer: T,
        hub: &Hub<T>,
    ) -> impl Service<
        Request<Incoming>,
        Response = Response<impl Body<Data = Bytes, Error = axum::Error> + Send + 'static>,
        Error = Infallible,
        Future: Send,
    > + Clone
    + Send
    + 'static
    where
        T: Timer<Instant: Send + Sync, Sleep: Send> + Clone + Send + Sync + 'static,
    {
        let heartbeats = HeartbeatLayer::with_scheduler(hub.clone(), self.policy());
        let limit = StreamLimit::new(self.max_streams, refusal::too_many);
        let router = Router::new()
            .route(SUBSCRIBE, post(messages::subscribe))
            .route("/events", get(lines::sse))
            .route("/events.ndjson", get(lines::ndjson))
            .fallback(refusal::not_found)
            .with_state(Subscriptions { feed: self.feed, timer });
        option_layer(cors::layer(&self.origins)).layer(heartbeats.layer(limit.layer(router)))
    }

    /// Heartbeats for whatever streams: by the content type a message, a comment or a blank line.
    fn policy(
        &self,
    ) -> HeartbeatPolicy<heartbeat_async::Observed<Arc<dyn Observer + Send + Sync>>> {
        HeartbeatPolicy::new(self.heartbeat)
            .with_ndjson(NdjsonHeartbeat::BlankLine)
            .with_rpc(StreamingMethods::paths([SUBSCRIBE]), Message::Gateway.messages())
            .with_observer(metrics::audience(self.observer.clone()))
    }
}
