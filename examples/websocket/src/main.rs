//! Messages over a WebSocket, kept alive by its own Pings.

use std::error::Error;
use std::time::Duration;

use futures_util::StreamExt;
use heartbeat_tokio::heartbeat_sink;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::{Bytes, Message};

type Failure = Box<dyn Error + Send + Sync>;

async fn talk(client: TcpStream) -> Result<(), Failure> {
    let interval = Duration::from_millis(500); // 15 s in earnest
    let (sink, mut messages) = accept_async(client).await?.split();
    let (sender, driver) = heartbeat_sink(sink, interval, || Message::Ping(Bytes::new()));
    tokio::spawn(driver); // ends with its last sender

    let telling = async {
        sender.send("hello".into()).await?;
        sleep(Duration::from_millis(2500)).await;
        sender.send("still here".into()).await?;
        std::future::pending::<Result<(), Failure>>().await
    };
    // Somebody has to read, also where nothing is expected: it is in reads that a client's Ping and its
    // Close are answered, that the Pongs are taken out of the way, and that a client's end shows.
    let reading = async {
        while let Some(message) = messages.next().await {
            match message? {
                Message::Text(text) if text == "enough" => sender.close().await?,
                _ => {} // a Pong, mostly
            }
        }
        Ok(()) // closed, and both sides know
    };
    tokio::select! {
        told = telling => told,
        read = reading => read,
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("websocat ws://{}", listener.local_addr()?);
    loop {
        let (client, address) = listener.accept().await?;
        tokio::spawn(async move {
            match talk(client).await {
                Ok(()) => println!("{address} has closed"),
                Err(error) => println!("{address} has gone: {error}"),
            }
        });
    }
}
