//! A client on a real socket receives heartbeats while the example is silent.

use std::error::Error;

use example_check::RunningExample;
use heartbeat_frame::SubscribeRequest;
use heartbeat_frame::service::gateway_service_client::GatewayServiceClient;

#[tokio::test]
async fn a_quiet_stream_has_heartbeats_until_the_client_disconnects() -> Result<(), Box<dyn Error>>
{
    let example = RunningExample::start(env!("CARGO_BIN_EXE_example-push-tonic"))?;
    let mut client = GatewayServiceClient::connect(format!("http://{}", example.address())).await?;
    let mut events = client.subscribe(SubscribeRequest::default()).await?.into_inner();
    let mut received = String::new();
    while !received.ends_with("still here\n") {
        received += &events.message().await?.ok_or("the stream ended")?.event_type;
        received.push('\n');
    }
    assert!(received.starts_with("hello\ngateway.heartbeat\n"), "{received}");

    drop((client, events));
    let line = tokio::task::spawn_blocking(move || example.next_line()).await??;
    assert_eq!(line, "the driver has stopped: the sink failed");
    Ok(())
}
