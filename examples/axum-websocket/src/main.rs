//! Messages over axum's WebSocket. The heartbeats are Pings of the WebSocket protocol.

use std::io;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use axum::{BoxError, Router};
use futures_util::StreamExt;
use heartbeat_tokio::heartbeat_sink;
use tokio::net::TcpListener;
use tokio::time::sleep;

async fn upgrade(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |socket| match serve(socket).await {
        Ok(()) => println!("closed"),
        Err(error) => println!("disconnected: {error}"),
    })
}

async fn serve(socket: WebSocket) -> Result<(), BoxError> {
    let interval = Duration::from_millis(500); // 15 s in production
    let (sink, mut messages) = socket.split();
    let (sender, driver) = heartbeat_sink(sink, interval, || Message::Ping(Bytes::new()));
    tokio::spawn(driver); // stops when the last sender is dropped

    let sending = async {
        sender.send("hello".into()).await?;
        sleep(Duration::from_millis(2500)).await;
        sender.send("still here".into()).await?;
        std::future::pending::<Result<(), BoxError>>().await
    };
    // Read even if no message is expected: reading answers the client's Ping and Close, discards its Pongs,
    // and detects that the client has disconnected.
    let reading = async {
        while let Some(message) = messages.next().await {
            match message? {
                Message::Text(text) if text == "enough" => sender.close().await?,
                _ => {} // a Pong, usually
            }
        }
        Ok(()) // the closing handshake is complete
    };
    tokio::select! {
        result = sending => result,
        result = reading => result,
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("websocat ws://{}/events", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/events", any(upgrade))).await
}
