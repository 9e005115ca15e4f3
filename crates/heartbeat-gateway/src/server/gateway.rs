use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{Request, Response};
use axum::routing::{get, post};
use heartbeat_async::{Config, Hub, Observed, Observer, Timer};
use heartbeat_frame::NdjsonHeartbeat;
use heartbeat_http::{HeartbeatLayer, HeartbeatPolicy, StreamingMethods};
use heartbeat_otel::OtelObserver;
use heartbeat_proxy::http_server::{ServerOptions, StreamLimit};
use hyper::body::{Body, Incoming};
use tower::util::option_layer;
use tower_layer::Layer;
use tower_service::Service;

use super::cors::{self, Origin};
use super::protocol::SUBSCRIBE;
use super::subscriptions::Subscriptions;
use super::{errors, rpc, text};
use crate::event_log::EventLog;
use crate::metrics;
use crate::rpc_message::RpcMessage;

/// A service that streams the events of a log in every protocol, with heartbeats in quiet streams.
#[derive(Debug, Clone)]
#[must_use = "a gateway does nothing until a listener serves it"]
pub struct Gateway {
    log: EventLog,
    heartbeat: Config,
    observer: Option<OtelObserver>,
    max_streams: u32,
    origins: Vec<Origin>,
}

impl Gateway {
    /// Serves the events of `log`, with heartbeats as configured.
    pub fn new(log: EventLog, heartbeat: Config) -> Self {
        let max_streams = ServerOptions::default().max_streams();
        Self { log, heartbeat, observer: None, max_streams, origins: Vec::new() }
    }

    /// Reports the heartbeats of all streams to `observer`. Default: `None`.
    pub fn with_observer(self, observer: Option<OtelObserver>) -> Self {
        Self { observer, ..self }
    }

    /// Limits the number of open requests. Default: that of [`ServerOptions`].
    pub fn with_max_streams(self, max_streams: u32) -> Self {
        Self { max_streams, ..self }
    }

    /// Allows browser pages of these origins to read responses, by CORS. Default: none.
    pub fn with_cors_origins(self, origins: Vec<Origin>) -> Self {
        Self { origins, ..self }
    }

    pub(super) fn has_heartbeats(&self) -> bool {
        !self.heartbeat.is_disabled()
    }

    /// The service on the runtime of `timer`, with its heartbeats on `hub`.
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
        let limit = StreamLimit::new(self.max_streams, errors::too_many_streams);
        let router = Router::new()
            .route(SUBSCRIBE, post(rpc::subscribe))
            .route("/events", get(text::sse))
            .route("/events.ndjson", get(text::ndjson))
            .fallback(errors::not_found)
            .with_state(Subscriptions { log: self.log, timer });
        option_layer(cors::layer(&self.origins)).layer(heartbeats.layer(limit.layer(router)))
    }

    /// Heartbeats for every stream: a message, a comment or a blank line, depending on the content type.
    fn policy(&self) -> HeartbeatPolicy<Observed<Arc<dyn Observer + Send + Sync>>> {
        HeartbeatPolicy::new(self.heartbeat)
            .with_ndjson(NdjsonHeartbeat::BlankLine)
            .with_rpc(StreamingMethods::paths([SUBSCRIBE]), RpcMessage::Gateway.heartbeat())
            .with_observer(metrics::shared_observer(self.observer.clone()))
    }
}
