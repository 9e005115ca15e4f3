//! A client on a real socket receives heartbeats while the example is silent.

use std::error::Error;
use std::future::ready;
use std::time::Duration;

use example_check::RunningExample;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Time limit of each step. Long, because the machine may be busy.
const TIME_LIMIT: Duration = Duration::from_secs(20);

async fn connect(example: &RunningExample) -> Result<WebSocketStream<TcpStream>, Box<dyn Error>> {
    let connection = TcpStream::connect(example.address()).await?;
    Ok(client_async(format!("ws://{}/events", example.address()), connection).await?.0)
}

/// Reads up to and including `last`. Reading answers each Ping.
async fn read_to(
    client: &mut WebSocketStream<TcpStream>,
    last: &str,
) -> Result<String, Box<dyn Error>> {
    let reading = async {
        let mut received = String::new();
        while !received.ends_with(last) {
            let message = client.next().await.ok_or("the stream ended")??;
            received += match &message {
                Message::Text(text) => text,
                Message::Ping(_) => "ping",
                other => return Err(format!("{other:?} after {received:?}").into()),
            };
            received.push('\n');
        }
        Ok(received)
    };
    timeout(TIME_LIMIT, reading).await?
}

/// Returns the next message that is not a Ping.
async fn next(client: &mut WebSocketStream<TcpStream>) -> Result<Option<Message>, Box<dyn Error>> {
    let not_ping = |message: &Result<_, _>| ready(!matches!(message, Ok(Message::Ping(_))));
    Ok(timeout(TIME_LIMIT, client.filter(not_ping).next()).await?.transpose()?)
}

async fn next_line(example: RunningExample) -> Result<String, Box<dyn Error>> {
    Ok(tokio::task::spawn_blocking(move || example.next_line()).await??)
}

fn start() -> RunningExample {
    RunningExample::start(env!("CARGO_BIN_EXE_example-axum-websocket")).expect("started")
}

#[tokio::test]
async fn a_quiet_connection_has_heartbeats() -> Result<(), Box<dyn Error>> {
    let example = start();
    let mut client = connect(&example).await?;
    let received = read_to(&mut client, "still here\n").await?;
    let pings = received.strip_prefix("hello\n").and_then(|rest| rest.strip_suffix("still here\n"));
    assert!(pings.is_some_and(|pings| pings.starts_with("ping\n")), "{received:?}");
    assert_eq!(received.replace("ping\n", ""), "hello\nstill here\n");

    // The server answers the client's Ping and Close.
    client.send(Message::Ping("there?".into())).await?;
    assert_eq!(next(&mut client).await?, Some(Message::Pong("there?".into())));
    client.close(None).await?;
    assert_eq!(next(&mut client).await?, Some(Message::Close(None)));
    assert_eq!(next(&mut client).await?, None);
    let line = next_line(example).await?;
    assert_eq!(line, "closed");
    Ok(())
}

#[tokio::test]
async fn the_server_closes_on_request() -> Result<(), Box<dyn Error>> {
    let example = start();
    let mut client = connect(&example).await?;
    read_to(&mut client, "ping\n").await?;
    client.send(Message::text("enough")).await?;
    assert_eq!(next(&mut client).await?, Some(Message::Close(None)));
    assert_eq!(next(&mut client).await?, None);
    let line = next_line(example).await?;
    assert_eq!(line, "closed");
    Ok(())
}

#[tokio::test]
async fn a_disconnected_client_is_detected() -> Result<(), Box<dyn Error>> {
    let example = start();
    let mut client = connect(&example).await?;
    read_to(&mut client, "still here\n").await?; // from now on only heartbeats are sent
    drop(client);
    let line = next_line(example).await?;
    assert!(line.starts_with("disconnected: "), "{line}");
    Ok(())
}
