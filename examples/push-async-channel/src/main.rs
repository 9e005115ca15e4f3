//! Events pushed through channels as lines over TCP on smol, kept alive by heartbeats: empty lines.

use std::future;
use std::io;
use std::time::Duration;

use async_channel::{Receiver, SendError, Sender};
use futures_util::sink::{self, Sink};
use heartbeat_smol::heartbeat_sink;
use smol::Timer;
use smol::io::AsyncWriteExt;
use smol::net::{TcpListener, TcpStream};

/// A channel as a sink.
fn into_sink(channel: Sender<String>) -> impl Sink<String, Error = SendError<String>> {
    sink::unfold(channel, |channel, line| async move {
        channel.send(line).await?;
        Ok(channel)
    })
}

/// Knows nothing of the socket, nor of heartbeats but that there are some.
async fn tell(client: Sender<String>) -> Result<(), SendError<String>> {
    let interval = Duration::from_millis(500); // 15 s in earnest
    let (sender, driver) = heartbeat_sink(into_sink(client), interval, || "\n".into());
    let _beating = smol::spawn(driver); // a task of smol's ends when it is dropped

    sender.send("hello\n".into()).await?;
    Timer::after(Duration::from_millis(2500)).await;
    sender.send("still here\n".into()).await?;
    future::pending().await
}

async fn write(mut client: TcpStream, lines: Receiver<String>) -> io::Result<()> {
    while let Ok(line) = lines.recv().await {
        client.write_all(line.as_bytes()).await?; // fails once the client has gone
    }
    Ok(())
}

fn main() -> io::Result<()> {
    smol::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("nc {}", listener.local_addr()?);
        loop {
            let (client, address) = listener.accept().await?;
            // What is in the channel counts as sent: the smaller it is, the sooner a stall shows.
            let (sender, lines) = async_channel::bounded(4);
            let telling = smol::spawn(tell(sender));
            smol::spawn(async move {
                if let Err(error) = write(client, lines).await {
                    eprintln!("{address} has gone: {error}");
                }
                telling.cancel().await;
            })
            .detach();
        }
    })
}
