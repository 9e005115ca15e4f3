//! Follows the events of a gRPC server, and reconnects without losing events that the server still has.

use std::pin::Pin;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures_util::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use heartbeat_frame::service::gateway_service_client::GatewayServiceClient;
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use heartbeat_tokio::{HeartbeatStreamExt, WatchdogStream};
use tokio::time::{Instant, sleep};
use tonic::transport::Endpoint;
use tonic::{Code, Status};

/// Yields the events of `server` that follow `last_event_id`, without the heartbeats.
///
/// The stream reconnects if the server cannot be reached, ends the response, or is silent for `timeout`. It
/// resumes after the last event that it has yielded. With an empty id it starts with the latest event, and
/// with `0` at the first event.
///
/// # Errors
///
/// A status that a retry would not change ends the stream: `OUT_OF_RANGE` if the server no longer has the
/// next event, `INVALID_ARGUMENT` if it does not know the id, and other such codes.
pub fn follow(
    server: Endpoint,
    timeout: Duration,
    last_event_id: String,
) -> impl Stream<Item = Result<GatewayEvent, Status>> {
    let client = Client { server, timeout, last_event_id, subscription: None, delays: delays() };
    stream::try_unfold(client, async |mut client| Ok(Some((client.next().await?, client))))
}

struct Client {
    server: Endpoint,
    timeout: Duration,
    last_event_id: String,
    subscription: Option<Subscription>,
    delays: ExponentialBackoff,
}

struct Subscription {
    events: Pin<Box<Events>>,
    since: Instant,
}

type Events = WatchdogStream<BoxStream<'static, Item>, fn(&Item) -> bool>;
type Item = Result<GatewayEvent, Status>;

impl Client {
    async fn next(&mut self) -> Item {
        loop {
            let status = match self.try_next().await {
                Ok(event) => {
                    if !event.event_id.is_empty() {
                        self.last_event_id.clone_from(&event.event_id);
                    }
                    self.delays = delays();
                    return Ok(event);
                }
                Err(status) if is_permanent(status.code()) => return Err(status),
                Err(status) => status,
            };
            // Drops the connection too: it may be dead, and would fail the next stream as well.
            let last = self.subscription.take();
            if last.is_some_and(|last| last.since.elapsed() > MAX_DELAY) {
                self.delays = delays(); // the last attempt was long ago
            }
            let delay = self.delays.next().unwrap_or(MAX_DELAY);
            tracing::warn!(error = status.message(), ?delay, "reconnecting");
            sleep(delay).await;
        }
    }

    async fn try_next(&mut self) -> Item {
        let subscribe = || subscribe(self.server.clone(), self.timeout, self.last_event_id.clone());
        match self.subscription.get_or_insert_with(subscribe).events.next().await {
            Some(Ok(item)) => item,
            Some(Err(timed_out)) => Err(Status::unavailable(timed_out.to_string())),
            None => Err(Status::unavailable("the server ended the stream")),
        }
    }
}

/// Subscribes on a new connection. The timeout includes the time to connect.
fn subscribe(server: Endpoint, timeout: Duration, last_event_id: String) -> Subscription {
    let responses = async {
        let client = GatewayServiceClient::connect(server).await;
        let mut client = client.map_err(|error| Status::from_error(error.into()))?;
        let responses = client.subscribe(SubscribeRequest { last_event_id }).await?;
        Ok::<_, Status>(responses.into_inner())
    };
    let responses = stream::once(responses).try_flatten().boxed();
    let events = responses.watchdog(timeout).skip_heartbeats(is_heartbeat as fn(&Item) -> bool);
    Subscription { events: Box::pin(events), since: Instant::now() }
}

fn is_heartbeat(item: &Item) -> bool {
    item.as_ref().is_ok_and(GatewayEvent::is_heartbeat)
}

/// Whether a retry would fail with this code again.
fn is_permanent(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::NotFound
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::DataLoss
            | Code::Unauthenticated
    )
}

const MAX_DELAY: Duration = Duration::from_secs(10);

/// Exponential backoff from 0.1 s on. The jitter, up to 100 %, keeps clients that were disconnected together
/// from reconnecting together.
fn delays() -> ExponentialBackoff {
    let delays = ExponentialBuilder::new().with_min_delay(Duration::from_millis(100));
    delays.with_max_delay(MAX_DELAY).without_max_times().with_jitter().build()
}
