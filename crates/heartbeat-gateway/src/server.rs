//! The gRPC server: `GatewayService.Subscribe`, kept alive by heartbeats.

use std::io;
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use heartbeat_frame::{GatewayEvent, HeartbeatMessage, SubscribeRequest};
use heartbeat_tokio::{Beat, Config, HeartbeatStreamExt, Kind};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::feed::{Feed, FeedError};
use crate::proto::gateway_service_server::{GatewayService, GatewayServiceServer};

/// The service: every subscriber follows the feed, on a stream with heartbeats of its own.
#[derive(Debug, Clone)]
pub struct Gateway {
    feed: Feed,
    heartbeat: Config,
}

impl Gateway {
    /// Serves `feed`, with a heartbeat in each silence that `heartbeat` describes.
    #[must_use]
    pub fn new(feed: Feed, heartbeat: Config) -> Self {
        Self { feed, heartbeat }
    }

    /// Serves gRPC clients on `listener` until `shutdown` is ready and all streams have ended. With
    /// `pings`, the server also sends HTTP/2 PINGs that often.
    ///
    /// From the shutdown on no stream is accepted. Those that are open go on: whoever asks for the
    /// shutdown [closes the feed](Feed::close), too, to end them.
    ///
    /// # Errors
    ///
    /// If the listener fails for good.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the listener; connections end with their runtime.
    pub async fn serve(
        self,
        listener: TcpListener,
        pings: Option<Duration>,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        Server::builder()
            .http2_keepalive_interval(pings)
            .add_service(GatewayServiceServer::new(self))
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                shutdown,
            )
            .await
            .map_err(io::Error::other)
    }
}

#[tonic::async_trait]
impl GatewayService for Gateway {
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
        let events = events.try_heartbeat(self.heartbeat, GatewayBeat);
        Ok(Response::new(events.boxed()))
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
