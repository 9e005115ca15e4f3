//! Checks an example that serves a WebSocket, with a client on a real socket.
//!
//! Each function starts the program, connects to `path`, and returns the next line that the program prints when the
//! connection has ended.

use std::error::Error;
use std::future::ready;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::{RunningExample, TIME_LIMIT};

/// Checks that the connection has heartbeats between its two events, and that the server answers Ping and Close.
///
/// # Errors
///
/// If the program or the connection fails, or a step takes longer than 20 s.
///
/// # Panics
///
/// If the client receives something else.
pub async fn check_heartbeats(program: &str, path: &str) -> Result<String, Box<dyn Error>> {
    let (example, mut client) = connect(program, path).await?;
    let received = read_to(&mut client, "still here\n").await?;
    let pings = received.strip_prefix("hello\n").and_then(|rest| rest.strip_suffix("still here\n"));
    assert!(pings.is_some_and(|pings| pings.starts_with("ping\n")), "{received:?}");
    assert_eq!(received.replace("ping\n", ""), "hello\nstill here\n");

    client.send(Message::Ping("there?".into())).await?;
    assert_eq!(next(&mut client).await?, Some(Message::Pong("there?".into())));
    client.close(None).await?;
    assert_closed(client).await?;
    next_line(example).await
}

/// Checks that the server closes the connection after the message `enough`.
///
/// # Errors
///
/// If the program or the connection fails, or a step takes longer than 20 s.
///
/// # Panics
///
/// If the client receives something else.
pub async fn check_close(program: &str, path: &str) -> Result<String, Box<dyn Error>> {
    let (example, mut client) = connect(program, path).await?;
    read_to(&mut client, "ping\n").await?;
    client.send(Message::text("enough")).await?;
    assert_closed(client).await?;
    next_line(example).await
}

/// Disconnects while the server sends only heartbeats.
///
/// # Errors
///
/// If the program or the connection fails, or a step takes longer than 20 s.
pub async fn disconnect(program: &str, path: &str) -> Result<String, Box<dyn Error>> {
    let (example, mut client) = connect(program, path).await?;
    read_to(&mut client, "still here\n").await?; // the last event
    drop(client);
    next_line(example).await
}

type Client = WebSocketStream<TcpStream>;

async fn connect(program: &str, path: &str) -> Result<(RunningExample, Client), Box<dyn Error>> {
    let example = RunningExample::start(program)?;
    let address = example.address();
    let connection = TcpStream::connect(address).await?;
    let (client, _) = client_async(format!("ws://{address}{path}"), connection).await?;
    Ok((example, client))
}

/// Reads up to and including `last`. Reading answers each Ping.
async fn read_to(client: &mut Client, last: &str) -> Result<String, Box<dyn Error>> {
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
async fn next(client: &mut Client) -> Result<Option<Message>, Box<dyn Error>> {
    let not_ping = |message: &Result<_, _>| ready(!matches!(message, Ok(Message::Ping(_))));
    Ok(timeout(TIME_LIMIT, client.filter(not_ping).next()).await?.transpose()?)
}

async fn assert_closed(mut client: Client) -> Result<(), Box<dyn Error>> {
    assert_eq!(next(&mut client).await?, Some(Message::Close(None)));
    assert_eq!(next(&mut client).await?, None);
    Ok(())
}

async fn next_line(example: RunningExample) -> Result<String, Box<dyn Error>> {
    Ok(tokio::task::spawn_blocking(move || example.next_line()).await??)
}
