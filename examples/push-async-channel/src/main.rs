//! Events as lines over TCP on smol, pushed through a channel. The heartbeats are empty lines.

use std::future;
use std::io;
use std::time::Duration;

use async_channel::{Receiver, SendError, Sender};
use futures_util::sink::{self, Sink};
use heartbeat_smol::heartbeat_sink;
use smol::Timer;
use smol::io::AsyncWriteExt;
use smol::net::{TcpListener, TcpStream};

/// Makes a sink of a channel.
fn into_sink(channel: Sender<String>) -> impl Sink<String, Error = SendError<String>> {
    sink::unfold(channel, |channel, line| async move {
        channel.send(line).await?;
        Ok(channel)
    })
}

/// The producer: it sends events into the channel, and never sees the socket.
async fn send_events(client: Sender<String>) -> Result<(), SendError<String>> {
    let interval = Duration::from_millis(500); // 15 s in production
    let (sender, driver) = heartbeat_sink(into_sink(client), interval, || "\n".into());
    let _driver = smol::spawn(driver); // smol cancels a task when its handle is dropped

    sender.send("hello\n".into()).await?;
    Timer::after(Duration::from_millis(2500)).await;
    sender.send("still here\n".into()).await?;
    future::pending().await
}

async fn write_lines(mut client: TcpStream, lines: Receiver<String>) -> io::Result<()> {
    while let Ok(line) = lines.recv().await {
        client.write_all(line.as_bytes()).await?; // fails after the client has disconnected
    }
    Ok(())
}

fn main() -> io::Result<()> {
    smol::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("nc {}", listener.local_addr()?);
        loop {
            let (client, address) = listener.accept().await?;
            // Lines in the channel count as sent: a small channel reports a stalled client sooner.
            let (sender, lines) = async_channel::bounded(4);
            let producer = smol::spawn(send_events(sender));
            smol::spawn(async move {
                if let Err(error) = write_lines(client, lines).await {
                    eprintln!("{address} disconnected: {error}");
                }
                producer.cancel().await;
            })
            .detach();
        }
    })
}
