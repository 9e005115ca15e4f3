//! Events as lines over TCP on async-std. The heartbeats are empty lines.

use std::io;
use std::pin::pin;
use std::time::Duration;

use async_std::io::WriteExt;
use async_std::net::{TcpListener, TcpStream};
use async_std::task;
use futures_util::stream::{self, StreamExt};
use heartbeat_async_std::HeartbeatStreamExt;

async fn send_events(mut client: TcpStream) -> io::Result<()> {
    let later = stream::once(async {
        task::sleep(Duration::from_millis(2500)).await;
        "still here\n"
    });
    let events = stream::iter(["hello\n"]).chain(later).chain(stream::pending());

    let interval = Duration::from_millis(500); // 15 s in production
    let mut events = pin!(events.heartbeat(interval, || "\n"));
    while let Some(line) = events.next().await {
        client.write_all(line.as_bytes()).await?; // fails after the client has disconnected
    }
    Ok(())
}

#[async_std::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("nc {}", listener.local_addr()?);
    loop {
        let (client, address) = listener.accept().await?;
        task::spawn(async move {
            if let Err(error) = send_events(client).await {
                eprintln!("{address} disconnected: {error}");
            }
        });
    }
}
