//! A client on a real socket receives heartbeats while the example is silent.

use std::error::Error;

use example_check::websocket;

const PROGRAM: &str = env!("CARGO_BIN_EXE_example-websocket");

#[tokio::test]
async fn a_quiet_connection_has_heartbeats() -> Result<(), Box<dyn Error>> {
    let line = websocket::check_heartbeats(PROGRAM, "/").await?;
    assert!(line.ends_with(" closed"), "{line}");
    Ok(())
}

#[tokio::test]
async fn the_server_closes_on_request() -> Result<(), Box<dyn Error>> {
    let line = websocket::check_close(PROGRAM, "/").await?;
    assert!(line.ends_with(" closed"), "{line}");
    Ok(())
}

#[tokio::test]
async fn a_disconnected_client_is_detected() -> Result<(), Box<dyn Error>> {
    let line = websocket::disconnect(PROGRAM, "/").await?;
    assert!(line.contains(" disconnected: "), "{line}");
    Ok(())
}
