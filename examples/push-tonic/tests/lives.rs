//! Against a client on a real socket.

use std::error::Error;

use example_check::{Running, assert_beats_between};
use heartbeat_frame::SubscribeRequest;
use heartbeat_frame::service::gateway_service_client::GatewayServiceClient;

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_until_its_client_goes() -> Result<(), Box<dyn Error>> {
    let example = Running::start(env!("CARGO_BIN_EXE_example-push-tonic"))?;
    let mut client = GatewayServiceClient::connect(format!("http://{}", example.address())).await?;
    let mut events = client.subscribe(SubscribeRequest::default()).await?.into_inner();
    let mut received = String::new();
    while !received.ends_with("still here\n") {
        received += &events.message().await?.ok_or("it has ended")?.event_type;
        received.push('\n');
    }
    assert_beats_between(&received, "hello\n", "gateway.heartbeat\n", "still here\n");

    drop((client, events));
    let said = tokio::task::spawn_blocking(move || example.line()).await??;
    assert_eq!(said, "the driver has ended: the transport failed");
    Ok(())
}
