use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt};
use heartbeat_async::Timer;
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use hyper::http::Extensions;
use tonic::Status;

use super::deadline::{Deadline, ending_at};
use super::protocol::Protocol;
use crate::feed::{Feed, FeedError};
use crate::front::Peer;

/// Who follows the feed, however it is told to them.
#[derive(Debug, Clone)]
pub(super) struct Subscriptions<T> {
    pub(super) feed: Feed,
    pub(super) timer: T,
}

impl<T> Subscriptions<T>
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    /// Follows the feed from the event after this one on, for the client whose request had these
    /// extensions.
    pub(super) fn events(
        &self,
        last_event_id: &str,
        protocol: Protocol,
        request: &Extensions,
    ) -> Result<impl Stream<Item = Result<GatewayEvent, FeedError>> + Send + 'static, FeedError>
    {
        let client = request.get().map(|peer: &Peer| tracing::field::display(peer.address));
        let protocol = protocol.name();
        let events = self.feed.subscribe(last_event_id).inspect_err(|error| {
            tracing::info!(client, protocol, %error, "refused");
        })?;
        tracing::info!(client, protocol, last_event_id, "subscribed");
        Ok(events)
    }

    /// The same as an answer to a remote call, which may have a deadline.
    pub(super) fn answer(
        &self,
        request: &SubscribeRequest,
        deadline: Option<Deadline>,
        protocol: Protocol,
        extensions: &Extensions,
    ) -> Result<BoxStream<'static, Result<GatewayEvent, Status>>, Status> {
        deadline.map_or(Ok(()), Deadline::leaves_time)?;
        let events = self.events(&request.last_event_id, protocol, extensions)?;
        let events = events.map_err(Status::from);
        Ok(match deadline.and_then(|deadline| deadline.alarm(&self.timer)) {
            Some(alarm) => ending_at(alarm, events.boxed()).boxed(),
            None => events.boxed(),
        })
    }
}

impl From<FeedError> for Status {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::UnknownId(_) => Self::invalid_argument(error.to_string()),
            FeedError::Missed { .. } => Self::out_of_range(error.to_string()),
        }
    }
}
