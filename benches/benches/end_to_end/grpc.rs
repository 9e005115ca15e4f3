//! A gRPC stream served by tonic.

use std::error::Error;
use std::net::SocketAddr;

use heartbeat_benches::{OURS, version};
use heartbeat_frame::service::gateway_service_client::GatewayServiceClient;
use heartbeat_frame::service::gateway_service_server::{GatewayService, GatewayServiceServer};
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use heartbeat_tokio::{HeartbeatLayer, HeartbeatMessage, HeartbeatPolicy, StreamingMethods};
use tokio::net::TcpListener;
use tonic::transport::Endpoint;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Response, Status};

use crate::events::Events;
use crate::{INTERVAL, ServerLine};

struct Service {
    in_a_row: u32,
}

type Make = fn() -> Result<GatewayEvent, Status>;

#[expect(clippy::unnecessary_wraps, reason = "tonic's streams yield results")]
fn event() -> Result<GatewayEvent, Status> {
    Ok(GatewayEvent {
        event_type: "price".into(),
        payload: "a price of 123.45 at some@exchange".into(),
        ..GatewayEvent::default()
    })
}

#[tonic::async_trait]
impl GatewayService for Service {
    type SubscribeStream = Events<Make>;

    /// The request has the number of events in the place of the id.
    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Events<Make>>, Status> {
        let count = request.into_inner().last_event_id.parse();
        let count =
            count.map_err(|_| Status::invalid_argument("the id must be the number of events"))?;
        Ok(Response::new(Events::new(count, self.in_a_row, event as Make)))
    }
}

pub(crate) async fn lines(in_a_row: u32) -> Result<Vec<ServerLine>, Box<dyn Error>> {
    let service = || GatewayServiceServer::new(Service { in_a_row });
    let (listener, address) = listen().await?;
    let server = Server::builder().add_service(service());
    tokio::spawn(server.serve_with_incoming(listener));
    let bare = ServerLine { id: "bare", label: format!("tonic {}", version("tonic")), address };

    let (listener, address) = listen().await?;
    let streams = StreamingMethods::paths(["/galaxy.gateway.v1.GatewayService/Subscribe"]);
    let policy =
        HeartbeatPolicy::new(INTERVAL).with_rpc(streams, HeartbeatMessage::gateway_event());
    let server = Server::builder().layer(HeartbeatLayer::new(policy)).add_service(service());
    tokio::spawn(server.serve_with_incoming(listener));
    let label = format!("heartbeat-tokio {}: HeartbeatLayer", version("heartbeat-tokio"));
    Ok(vec![bare, ServerLine { id: OURS, label, address }])
}

async fn listen() -> Result<(TcpIncoming, SocketAddr), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((TcpIncoming::from(listener), address))
}

/// Requests `events` events with tonic's client, and returns how many were received.
pub(crate) fn fetch(address: SocketAddr, events: u32) -> Result<u32, Box<dyn Error>> {
    crate::runtime()?.block_on(async {
        // h2 closes a connection with too many small frames in its buffer. With this window frames do not wait.
        let server = Endpoint::from_shared(format!("http://{address}"))?;
        let server = server.initial_connection_window_size(32 << 20);
        let mut client = GatewayServiceClient::new(server.connect().await?);
        let request = SubscribeRequest { last_event_id: events.to_string() };
        let mut stream = client.subscribe(request).await?.into_inner();
        let mut count = 0;
        while stream.message().await?.is_some() {
            count += 1;
        }
        Ok(count)
    })
}
