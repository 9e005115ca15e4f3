//! An axum application that forwards all other requests to an upstream, and adds heartbeats to its events.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures_util::stream::{self, Stream, StreamExt};
use heartbeat_proxy::Proxy;
use heartbeat_proxy::http_server::Peer;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// The upstream: a server that sends no heartbeats.
async fn events() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let later = stream::once(async {
        sleep(Duration::from_millis(2500)).await;
        "still here"
    });
    let events = stream::iter(["hello"]).chain(later).chain(stream::pending());
    Sse::new(events.map(|text| Ok(Event::default().data(text))))
}

/// Passes the client's address to the proxy, for `X-Forwarded-For` and the log.
async fn insert_peer(
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Request {
    request.extensions_mut().insert(Peer { address, tls: false });
    request
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let upstream = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", upstream.local_addr()?);
    tokio::spawn(async {
        axum::serve(upstream, Router::new().route("/events", get(events))).await
    });

    let proxy = Proxy::builder(url.parse()?)
        .heartbeats(Duration::from_millis(500)) // 15 s in production
        .build();
    let application = Router::new()
        .route("/", get(async || "a page of the application\n"))
        .fallback_service(proxy)
        .layer(map_request(insert_peer));

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("curl -N http://{}/events", listener.local_addr()?);
    let application = application.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, application).await?;
    Ok(())
}
