//! Events over gRPC with tonic, and heartbeats from a layer.

use std::error::Error;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use heartbeat_frame::service::gateway_service_server::{GatewayService, GatewayServiceServer};
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use heartbeat_tokio::{HeartbeatLayer, HeartbeatMessage, HeartbeatPolicy, StreamingMethods};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Response, Status};

struct Events;

#[tonic::async_trait]
impl GatewayService for Events {
    type SubscribeStream = BoxStream<'static, Result<GatewayEvent, Status>>;

    async fn subscribe(
        &self,
        _: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let later = stream::once(async {
            sleep(Duration::from_millis(2500)).await;
            "still here"
        });
        let events = stream::iter(["hello"]).chain(later).chain(stream::pending());
        let event =
            |event_type: &str| GatewayEvent { event_type: event_type.into(), ..Default::default() };
        Ok(Response::new(events.map(move |event_type| Ok(event(event_type))).boxed()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The first argument is the interval in milliseconds. Zero disables heartbeats.
    let millis = std::env::args().nth(1).map_or(Ok(500), |millis| millis.parse())?;
    let interval = Duration::from_millis(millis); // 15 s in production

    // Only methods with streaming responses: in a unary response a second message is an error.
    let streams = StreamingMethods::paths(["/galaxy.gateway.v1.GatewayService/Subscribe"]);
    let policy =
        HeartbeatPolicy::new(interval).with_rpc(streams, HeartbeatMessage::gateway_event());

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("gRPC on {}", listener.local_addr()?);
    Server::builder()
        .layer(HeartbeatLayer::new(policy))
        .add_service(GatewayServiceServer::new(Events))
        .serve_with_incoming(TcpIncoming::from(listener))
        .await?;
    Ok(())
}
