//! Events over gRPC with tonic, and heartbeats in a quiet stream.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt};
use heartbeat_frame::service::gateway_service_server::{GatewayService, GatewayServiceServer};
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use heartbeat_tokio::{Config, Counters, HeartbeatStreamExt, Jitter};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Response, Status};

struct Events {
    heartbeat: Config,
    counters: Arc<Counters>,
}

#[tonic::async_trait]
impl GatewayService for Events {
    type SubscribeStream = BoxStream<'static, Result<GatewayEvent, Status>>;

    async fn subscribe(
        &self,
        _: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let (sender, events) = mpsc::channel(16);
        tokio::spawn(async move {
            for event_type in ["hello", "still here"] {
                let event = GatewayEvent { event_type: event_type.into(), ..Default::default() };
                if sender.send(Ok(event)).await.is_err() {
                    return; // the client has disconnected
                }
                sleep(Duration::from_millis(2500)).await;
            }
            sender.closed().await; // no more events until the client disconnects
        });
        let events = ReceiverStream::new(events)
            .try_heartbeat(self.heartbeat, GatewayEvent::heartbeat)
            .with_observer(Arc::clone(&self.counters));
        Ok(Response::new(events.boxed()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let heartbeat = Config::every(Duration::from_millis(500)) // 15 s in production
        .with_jitter(Jitter::try_from(0.1)?)
        .with_give_up_after(Duration::from_secs(3600));
    let counters = Arc::new(Counters::new());
    let events = Events { heartbeat, counters: Arc::clone(&counters) };

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("gRPC on {}", listener.local_addr()?);
    let server = Server::builder().add_service(GatewayServiceServer::new(events));
    server.serve_with_incoming(TcpIncoming::from(listener)).await?;
    println!("{:?}", counters.snapshot());
    Ok(())
}
