//! Events of an own proto file over gRPC with tonic, with a heartbeat as a variant of the message.

use std::error::Error;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use heartbeat_tokio::HeartbeatStreamExt;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Response, Status};

use crate::proto::price_service_server::{PriceService, PriceServiceServer};
use crate::proto::watch_response::Event;
use crate::proto::{Heartbeat, Price, WatchRequest, WatchResponse};

#[allow(clippy::pedantic, unreachable_pub)] // generated
mod proto {
    tonic::include_proto!("shop.prices.v1");
}

struct Prices;

#[tonic::async_trait]
impl PriceService for Prices {
    type WatchStream = BoxStream<'static, Result<WatchResponse, Status>>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let later = stream::once(async {
            sleep(Duration::from_millis(2500)).await;
            180
        });
        let prices = stream::iter([150]).chain(later).chain(stream::pending());
        let events = prices.map(|cents| {
            let price = Price { item: "tea".into(), cents };
            Ok(WatchResponse { event: Some(Event::Price(price)) })
        });

        let interval = Duration::from_millis(500); // 15 s in production
        let events = events.try_heartbeat(interval, || WatchResponse {
            event: Some(Event::Heartbeat(Heartbeat {})),
        });
        Ok(Response::new(events.boxed()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("gRPC on {}", listener.local_addr()?);
    let server = Server::builder().add_service(PriceServiceServer::new(Prices));
    server.serve_with_incoming(TcpIncoming::from(listener)).await?;
    Ok(())
}
