//! Server-sent events with axum, and heartbeats in a quiet stream.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::http::header::HeaderName;
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures_util::stream::{self, StreamExt};
use heartbeat_tokio::HeartbeatStreamExt;
use tokio::net::TcpListener;
use tokio::time::sleep;

async fn events() -> impl IntoResponse {
    let later = stream::once(async {
        sleep(Duration::from_millis(2500)).await;
        "still here"
    });
    let events = stream::iter(["hello"]).chain(later).chain(stream::pending());
    let events = events.map(|text| Ok::<_, Infallible>(Event::default().data(text)));

    let interval = Duration::from_millis(500); // 15 s in production
    let events = events.try_heartbeat(interval, || Event::DEFAULT_KEEP_ALIVE);
    // Without this header nginx buffers small responses, and heartbeats with them.
    ([(HeaderName::from_static("x-accel-buffering"), "no")], Sse::new(events))
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("curl -N http://{}/events", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/events", get(events))).await
}
