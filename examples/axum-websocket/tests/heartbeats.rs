//! A client on a real socket receives heartbeats while the example is silent.

use std::error::Error;

use example_check::websocket;

const PROGRAM: &str = env!("CARGO_BIN_EXE_example-axum-websocket");

#[tokio::test]
async fn a_quiet_connection_has_heartbeats() -> Result<(), Box<dyn Error>> {
    let line = websocket::check_heartbeats(PROGRAM, "/events").await?;
    assert_eq!(line, "closed");
    Ok(())
}

#[tokio::test]
async fn the_server_closes_on_request() -> Result<(), Box<dyn Error>> {
    let line = websocket::check_close(PROGRAM, "/events").await?;
    assert_eq!(line, "closed");
    Ok(())
}

#[tokio::test]
async fn a_disconnected_client_is_detected() -> Result<(), Box<dyn Error>> {
    let line = websocket::disconnect(PROGRAM, "/events").await?;
    assert!(line.starts_with("disconnected: "), "{line}");
    Ok(())
}
