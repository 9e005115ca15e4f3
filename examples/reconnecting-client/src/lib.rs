//! Follows the events of a gRPC server through cut connections, and loses none that it still holds.

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

/// The real events of `server`, from the one after `last_event_id` on. It never ends by itself: where
/// the server cannot be reached, ends the stream, or is silent for the whole `timeout`, it connects
/// anew, and resumes after the last event that it has yielded.
///
/// Until it has one, an empty id begins with the latest event each time; `0` begins with the first.
///
/// # Errors
///
/// What the server would answer again: `OUT_OF_RANGE` if it does not hold the next event any more,
/// `INVALID_ARGUMENT` if it does not know the id, and the like. Nothing follows it.
pub fn follow(
    server: Endpoint,
    timeout: Duration,
    last_event_id: String,
) -> impl Stream<Item = Result<GatewayEvent, Status>> {
    let follower = Follower { server, timeout, last_event_id, open: None, delays: delays() };
    stream::try_unfold(follower, async |mut follower| Ok(Some((follower.next().await?, follower))))
}

struct Follower {
    server: Endpoint,
    timeout: Duration,
    last_event_id: String,
    open: Option<Subscription>,
    delays: ExponentialBackoff,
}

struct Subscription {
    events: Pin<Box<Events>>,
    since: Instant,
}

type Events = WatchdogStream<BoxStream<'static, Answer>, fn(&Answer) -> bool>;
type Answer = Result<GatewayEvent, Status>;

impl Follower {
    async fn next(&mut self) -> Answer {
        loop {
            let failure = match self.try_next().await {
                Ok(event) => {
                    if !event.event_id.is_empty() {
                        self.last_event_id.clone_from(&event.event_id);
                    }
                    self.delays = delays();
                    return Ok(event);
                }
                Err(status) if is_final(status.code()) => return Err(status),
                Err(status) => status,
            };
            // Its connection goes with it: that may be dead, and so would be the next stream on it.
            let closed = self.open.take();
            if closed.is_some_and(|closed| closed.since.elapsed() > LONGEST_DELAY) {
                self.delays = delays(); // these attempts are far enough from each other
            }
            let delay = self.delays.next().unwrap_or(LONGEST_DELAY);
            tracing::warn!(error = failure.message(), ?delay, "connecting anew");
            sleep(delay).await;
        }
    }

    async fn try_next(&mut self) -> Answer {
        let subscribe = || subscribe(self.server.clone(), self.timeout, self.last_event_id.clone());
        match self.open.get_or_insert_with(subscribe).events.next().await {
            Some(Ok(answer)) => answer,
            Some(Err(silence)) => Err(Status::unavailable(silence.to_string())),
            None => Err(Status::unavailable("the server has ended the stream")),
        }
    }
}

/// A stream on a connection of its own. The watchdog also watches how that is made.
fn subscribe(server: Endpoint, timeout: Duration, last_event_id: String) -> Subscription {
    let answers = async {
        let client = GatewayServiceClient::connect(server).await;
        let mut client = client.map_err(|error| Status::from_error(error.into()))?;
        let answers = client.subscribe(SubscribeRequest { last_event_id }).await?;
        Ok::<_, Status>(answers.into_inner())
    };
    let answers = stream::once(answers).try_flatten().boxed();
    let events = answers.watchdog(timeout).skip_heartbeats(is_heartbeat as fn(&Answer) -> bool);
    Subscription { events: Box::pin(events), since: Instant::now() }
}

fn is_heartbeat(answer: &Answer) -> bool {
    answer.as_ref().is_ok_and(GatewayEvent::is_heartbeat)
}

/// Whether the server would say the same again, however often it is asked.
fn is_final(code: Code) -> bool {
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

const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// Ever longer from 0.1 s on, each up to twice as long by chance: those who were cut off in the same
/// instant should not come back in the same instant.
fn delays() -> ExponentialBackoff {
    let delays = ExponentialBuilder::new().with_min_delay(Duration::from_millis(100));
    delays.with_max_delay(LONGEST_DELAY).without_max_times().with_jitter().build()
}
