//! The gRPC service: `GatewayService.Subscribe`, kept alive by heartbeats.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use heartbeat_async::{Beat, Config, HeartbeatStreamExt, Kind, Timer};
use heartbeat_frame::{GatewayEvent, HeartbeatMessage, SubscribeRequest};
use heartbeat_otel::OtelObserver;
use tonic::{Request, Response, Status};

use crate::feed::{Feed, FeedError};
use crate::proto::gateway_service_server::GatewayService;

/// The service: every subscriber follows the feed, on a stream with heartbeats of its own. It is the
/// same on every runtime: all that it needs of one is the timer.
#[derive(Debug, Clone)]
pub struct Gateway<T> {
    feed: Feed,
    heartbeat: Config,
    timer: T,
    observer: Option<OtelObserver>,
}

impl<T> Gateway<T> {
    /// Serves `feed`, with a heartbeat in each silence that `heartbeat` describes. The silence is
    /// measured by `timer`.
    #[must_use]
    pub fn new(feed: Feed, heartbeat: Config, timer: T) -> Self {
        Self { feed, heartbeat, timer, observer: None }
    }

    /// Tells `observer` of each stream (T19). Without one nothing is measured.
    #[must_use]
    pub fn observe(self, observer: Option<OtelObserver>) -> Self {
        Self { observer, ..self }
    }
}

#[tonic::async_trait]
impl<T> GatewayService for Gateway<T>
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    type SubscribeStream = BoxStream<'static, Result<GatewayEvent, Status>>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let client = request.remote_addr().map(tracing::field::display);
        let SubscribeRequest { last_event_id } = request.into_inner();
        let events = self.feed.subscribe(&last_event_id).inspect_err(|error| {
            tracing::info!(client, %error, "refused");
        })?;
        tracing::info!(client, last_event_id, "subscribed");
        let events = events.map_err(Status::from);
        let events = events.try_heartbeat(self.timer.clone(), self.heartbeat, GatewayBeat);
        Ok(Response::new(match &self.observer {
            Some(observer) => events.observe(observer.clone()).boxed(),
            None => events.boxed(),
        }))
    }
}

/// The heartbeats of this service: it knows them also where they come from somebody else (T21), and
/// how long they are in their envelope (T19).
#[derive(Debug, Clone, Copy)]
struct GatewayBeat;

impl Beat<GatewayEvent> for GatewayBeat {
    fn heartbeat(&mut self) -> GatewayEvent {
        GatewayEvent::heartbeat()
    }

    fn kind(&mut self, event: &GatewayEvent) -> Kind {
        if event.is_heartbeat() { Kind::Heartbeat } else { Kind::Real }
    }

    fn bytes(&mut self, _: &GatewayEvent) -> Option<usize> {
        Some(HeartbeatMessage::gateway_event().envelope().len())
    }
}

impl From<FeedError> for Status {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::UnknownId(_) => Self::invalid_argument(error.to_string()),
            FeedError::Missed { .. } => Self::out_of_range(error.to_string()),
        }
    }
}
