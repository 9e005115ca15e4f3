//! A client on a real socket receives heartbeats while the example is silent.

use std::error::Error;

use example_check::RunningExample;

use crate::proto::price_service_client::PriceServiceClient;
use crate::proto::watch_response::Event;
use crate::proto::{Heartbeat, Price, WatchRequest};

#[allow(clippy::pedantic, unreachable_pub)] // generated
mod proto {
    tonic::include_proto!("shop.prices.v1");
}

#[tokio::test]
async fn a_quiet_stream_has_heartbeats() -> Result<(), Box<dyn Error>> {
    let example = RunningExample::start(env!("CARGO_BIN_EXE_example-tonic-own-proto"))?;
    let mut client = PriceServiceClient::connect(format!("http://{}", example.address())).await?;
    let mut responses = client.watch(WatchRequest {}).await?.into_inner();
    for expected in
        [Event::Price(Price { item: "tea".into(), cents: 150 }), Event::Heartbeat(Heartbeat {})]
    {
        let response = responses.message().await?.ok_or("the stream ended")?;
        assert_eq!(response.event, Some(expected));
    }
    Ok(())
}
