//! Against a client on a real socket.

use std::error::Error;
use std::future::ready;
use std::time::Duration;

use example_check::{Running, assert_beats_between};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long anything may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

async fn connect(example: &Running) -> Result<WebSocketStream<TcpStream>, Box<dyn Error>> {
    let connection = TcpStream::connect(example.address()).await?;
    Ok(client_async(format!("ws://{}/", example.address()), connection).await?.0)
}

/// Reads up to and including `last`. Answers each Ping, as every client does that reads.
async fn read_to(
    client: &mut WebSocketStream<TcpStream>,
    last: &str,
) -> Result<String, Box<dyn Error>> {
    let reading = async {
        let mut received = String::new();
        while !received.ends_with(last) {
            let message = client.next().await.ok_or("it has ended")??;
            received += match &message {
                Message::Text(text) => text,
                Message::Ping(_) => "ping",
                other => return Err(format!("{other:?} after {received:?}").into()),
            };
            received.push('\n');
        }
        Ok(received)
    };
    timeout(PATIENCE, reading).await?
}

/// The next message that is no Ping.
async fn next(client: &mut WebSocketStream<TcpStream>) -> Result<Option<Message>, Box<dyn Error>> {
    let no_ping = |message: &Result<_, _>| ready(!matches!(message, Ok(Message::Ping(_))));
    Ok(timeout(PATIENCE, client.filter(no_ping).next()).await?.transpose()?)
}

async fn line(example: Running) -> Result<String, Box<dyn Error>> {
    Ok(tokio::task::spawn_blocking(move || example.line()).await??)
}

fn start() -> Running {
    Running::start(env!("CARGO_BIN_EXE_example-websocket")).expect("it starts")
}

#[tokio::test]
async fn a_quiet_connection_is_kept_alive() -> Result<(), Box<dyn Error>> {
    let example = start();
    let mut client = connect(&example).await?;
    let received = read_to(&mut client, "still here\n").await?;
    assert_beats_between(&received, "hello\n", "ping\n", "still here\n");

    // The client's own Ping is answered among those of the server, and so is its Close.
    client.send(Message::Ping("there?".into())).await?;
    assert_eq!(next(&mut client).await?, Some(Message::Pong("there?".into())));
    client.close(None).await?;
    assert_eq!(next(&mut client).await?, Some(Message::Close(None)));
    assert_eq!(next(&mut client).await?, None);
    let said = line(example).await?;
    assert!(said.ends_with("has closed"), "{said}");
    Ok(())
}

#[tokio::test]
async fn the_server_closes_when_it_is_asked_to() -> Result<(), Box<dyn Error>> {
    let example = start();
    let mut client = connect(&example).await?;
    read_to(&mut client, "ping\n").await?;
    client.send(Message::text("enough")).await?;
    assert_eq!(next(&mut client).await?, Some(Message::Close(None)));
    assert_eq!(next(&mut client).await?, None);
    let said = line(example).await?;
    assert!(said.ends_with("has closed"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_client_that_vanishes_is_noticed() -> Result<(), Box<dyn Error>> {
    let example = start();
    let mut client = connect(&example).await?;
    read_to(&mut client, "still here\n").await?; // from now on nothing is sent to it
    drop(client);
    let said = line(example).await?;
    assert!(said.contains("has gone: "), "{said}");
    Ok(())
}
