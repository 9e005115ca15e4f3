//! Events over gRPC with tonic, pushed through a channel, and heartbeats in its silences.

use std::error::Error;
use std::time::Duration;

use heartbeat_frame::service::gateway_service_server::{GatewayService, GatewayServiceServer};
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use heartbeat_tokio::{MakeOk, heartbeat_sink};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::PollSender;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Response, Status};

struct Events;

#[tonic::async_trait]
impl GatewayService for Events {
    type SubscribeStream = ReceiverStream<Result<GatewayEvent, Status>>;

    async fn subscribe(
        &self,
        _: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let (channel, events) = mpsc::channel(16);
        let interval = Duration::from_millis(500); // 15 s in production
        // The channel's items are `Result`s: each heartbeat is an `Ok`, and an `Err` does not reset the timer.
        let heartbeat = MakeOk::new(GatewayEvent::heartbeat);
        let (sender, driver) = heartbeat_sink(PollSender::new(channel), interval, heartbeat);
        let driver = tokio::spawn(driver);

        tokio::spawn(async move {
            for event_type in ["hello", "still here"] {
                let event = GatewayEvent { event_type: event_type.into(), ..Default::default() };
                if sender.send(Ok(event)).await.is_err() {
                    return; // the client has disconnected
                }
                sleep(Duration::from_millis(2500)).await;
            }
            // No more events: the next heartbeat after the client has disconnected ends the driver.
            if let Ok(Err(error)) = driver.await {
                println!("the driver has stopped: {error}");
            }
        });
        Ok(Response::new(ReceiverStream::new(events)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("gRPC on {}", listener.local_addr()?);
    let server = Server::builder().add_service(GatewayServiceServer::new(Events));
    server.serve_with_incoming(TcpIncoming::from(listener)).await?;
    Ok(())
}
