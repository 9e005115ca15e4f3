//! Server-sent events with axum, and heartbeats from a layer.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures_util::stream::{self, Stream, StreamExt};
use heartbeat_tokio::HeartbeatLayer;
use tokio::net::TcpListener;
use tokio::time::sleep;

async fn events() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let later = stream::once(async {
        sleep(Duration::from_millis(2500)).await;
        "still here"
    });
    let events = stream::iter(["hello"]).chain(later).chain(stream::pending());
    Sse::new(events.map(|text| Ok(Event::default().data(text))))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The first argument is the interval in milliseconds. Zero disables heartbeats.
    let millis = std::env::args().nth(1).map_or(Ok(500), |millis| millis.parse())?;
    let interval = Duration::from_millis(millis); // 15 s in production
    let router = Router::new().route("/events", get(events)).layer(HeartbeatLayer::new(interval));

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("curl -N http://{}/events", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}
