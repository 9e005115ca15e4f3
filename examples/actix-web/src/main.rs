//! Server-sent events with actix-web, and heartbeats in a quiet stream.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use actix_web::rt::time::sleep;
use actix_web::web::Bytes;
use actix_web::{App, HttpResponse, HttpServer, get};
use futures_util::stream::{self, StreamExt};
use heartbeat_frame::SseHeartbeat;
use heartbeat_tokio::HeartbeatStreamExt;

#[get("/events")]
async fn events() -> HttpResponse {
    let later = stream::once(async {
        sleep(Duration::from_millis(2500)).await;
        "still here"
    });
    let events = stream::iter(["hello"]).chain(later).chain(stream::pending());
    let events = events.map(|text| Ok::<_, Infallible>(Bytes::from(format!("data: {text}\n\n"))));

    let interval = Duration::from_millis(500); // 15 s in production
    let events = events.try_heartbeat(interval, || SseHeartbeat::default().bytes());
    // Without this header nginx buffers small responses, and heartbeats with them.
    let mut response = HttpResponse::Ok();
    response.content_type("text/event-stream").insert_header(("x-accel-buffering", "no"));
    response.streaming(events)
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let server = HttpServer::new(|| App::new().service(events)).bind("127.0.0.1:0")?;
    for address in server.addrs() {
        println!("curl -N http://{address}/events");
    }
    server.run().await
}
