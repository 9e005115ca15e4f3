//! Messages over a WebSocket. The heartbeats are Pings of the WebSocket protocol.

use std::error::Error;
use std::time::Duration;

use futures_util::StreamExt;
use heartbeat_tokio::heartbeat_sink;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::{Bytes, Message};

type BoxError = Box<dyn Error + Send + Sync>;

async fn serve(client: TcpStream) -> Result<(), BoxError> {
    let interval = Duration::from_millis(500); // 15 s in production
    let (sink, mut messages) = accept_async(client).await?.split();
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
async fn main() -> Result<(), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("websocat ws://{}", listener.local_addr()?);
    loop {
        let (client, address) = listener.accept().await?;
        tokio::spawn(async move {
            match serve(client).await {
                Ok(()) => println!("{address} closed"),
                Err(error) => println!("{address} disconnected: {error}"),
            }
        });
    }
}
