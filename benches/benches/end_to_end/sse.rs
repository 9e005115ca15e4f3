//! Server-sent events from axum.

use std::convert::Infallible;
use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures_core::Stream;
use heartbeat_benches::{OURS, version};
use heartbeat_tokio::HeartbeatLayer;
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tower_http::map_response_body::MapResponseBodyLayer;

use crate::events::Events;
use crate::{INTERVAL, ServerLine};

/// A byte that occurs once per event.
const MARK: u8 = b'@';
const DATA: &str = "a price of 123.45 at some@exchange, and a time";

fn events(count: u32, in_a_row: u32) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(Events::new(count, in_a_row, || Ok(Event::default().data(DATA))))
}

pub(crate) async fn lines(in_a_row: u32) -> Result<Vec<ServerLine>, Box<dyn Error>> {
    let bare = get(move |Path(count): Path<u32>| async move { events(count, in_a_row) });
    let with_keep_alive = get(move |Path(count): Path<u32>| async move {
        events(count, in_a_row).keep_alive(KeepAlive::default().interval(INTERVAL))
    });
    let route = |handler| Router::new().route("/{count}", handler);
    let axum = format!("axum {}", version("axum"));
    let layer = format!("heartbeat-tokio {}: HeartbeatLayer", version("heartbeat-tokio"));
    // axum boxes the body of every layer, also of one that changes nothing.
    let unchanged_label =
        format!("tower-http {}: a layer that changes nothing", version("tower-http"));
    let unchanged = |body: Body| body.map_frame(|frame| frame);
    Ok(vec![
        serve("bare", axum.clone(), route(bare.clone())).await?,
        serve(
            "layer",
            unchanged_label,
            route(bare.clone()).layer(MapResponseBodyLayer::new(unchanged)),
        )
        .await?,
        serve(OURS, layer, route(bare).layer(HeartbeatLayer::new(INTERVAL))).await?,
        serve("axum-keep-alive", format!("{axum}: KeepAlive"), route(with_keep_alive)).await?,
    ])
}

async fn serve(
    id: &'static str,
    label: String,
    router: Router,
) -> Result<ServerLine, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(ServerLine { id, label, address })
}

/// Requests `events` events, and returns how many were received. Does less than a real client, because the server
/// is measured.
pub(crate) fn fetch(address: SocketAddr, events: u32) -> Result<u32, Box<dyn Error>> {
    let mut connection = TcpStream::connect(address)?;
    write!(connection, "GET /{events} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")?;
    let mut piece = vec![0; 256 << 10];
    let mut count = 0;
    loop {
        match connection.read(&mut piece)? {
            0 => return Ok(u32::try_from(count)?),
            length => count += memchr::memchr_iter(MARK, &piece[..length]).count(),
        }
    }
}
