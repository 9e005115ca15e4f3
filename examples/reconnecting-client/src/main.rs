//! Prints the events of a gRPC server, and reconnects when the connection is lost.

use std::env;
use std::error::Error;
use std::io;
use std::pin::pin;
use std::time::Duration;

use example_reconnecting_client::follow;
use futures_util::StreamExt;
use tonic::transport::Endpoint;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let mut arguments = env::args().skip(1);
    let server = arguments.next().unwrap_or("http://127.0.0.1:50051".into());
    let last_event_id = arguments.next().unwrap_or_default();

    let timeout = Duration::from_secs(45); // three times the server's interval
    let mut events = pin!(follow(Endpoint::try_from(server)?, timeout, last_event_id));
    while let Some(event) = events.next().await {
        let event = event?; // an error that a retry would not change
        println!("{} {}", event.event_id, event.event_type);
    }
    Ok(())
}
