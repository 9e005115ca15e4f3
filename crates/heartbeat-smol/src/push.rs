use futures_sink::Sink;
use heartbeat_async::{Config, MakeHeartbeat, NoObserver};

use crate::{Hub, SmolTimer};

/// Sends real items into a sink whose silence a [`Driver`] fills; see [`heartbeat_async::Sender`].
pub type Sender<Item, Si, B, P = SmolTimer> = heartbeat_async::Sender<Item, Si, B, P>;

/// Sends the heartbeats of a sink on smol's timers, or on a
/// [`Hub`]; see [`heartbeat_async::Driver`].
pub type Driver<Item, Si, B, P = SmolTimer, O = NoObserver> =
    heartbeat_async::Driver<Item, Si, B, P, O>;

/// Puts heartbeats into the silence of a sink: a channel, a WebSocket, the framed half of a socket.
///
/// Real items go through the [`Sender`]; the [`Driver`], run in a task of its own, sends a heartbeat
/// whenever nothing was handed over for an interval. `config` is the interval, or a [`Config`] with
/// more to it; `beat` makes the heartbeats (see [`MakeHeartbeat`]).
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use futures_util::sink;
/// use heartbeat_smol::heartbeat_sink;
/// use smol::channel::{SendError, bounded};
///
/// # smol::block_on(async {
/// let (channel, events) = bounded(16);
/// let channel = sink::unfold(channel, |channel, event| async move {
///     channel.send(event).await?;
///     Ok::<_, SendError<_>>(channel)
/// });
/// let (sender, driver) = heartbeat_sink(channel, Duration::from_millis(10), || "heartbeat");
/// smol::spawn(driver).detach();
///
/// sender.send("real").await.expect("there is a receiver");
/// assert_eq!(events.recv().await, Ok("real"));
/// assert_eq!(events.recv().await, Ok("heartbeat"));
/// # });
/// ```
pub fn heartbeat_sink<Item, Si, B>(
    sink: Si,
    config: impl Into<Config>,
    beat: B,
) -> (Sender<Item, Si, B>, Driver<Item, Si, B>)
where
    Si: Sink<Item>,
    B: MakeHeartbeat<Item>,
{
    heartbeat_async::heartbeat_sink(sink, SmolTimer, config, beat)
}

/// The same as [`heartbeat_sink`], on the one alarm of a hub.
#[expect(clippy::type_complexity, reason = "both ends have the same parameters")]
pub fn heartbeat_sink_on<Item, Si, B>(
    sink: Si,
    hub: &Hub,
    config: impl Into<Config>,
    beat: B,
) -> (Sender<Item, Si, B, Hub>, Driver<Item, Si, B, Hub>)
where
    Si: Sink<Item>,
    B: MakeHeartbeat<Item>,
{
    heartbeat_async::heartbeat_sink(sink, hub.clone(), config, beat)
}
