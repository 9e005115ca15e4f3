use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt};
use heartbeat_async::Timer;
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use hyper::http::Extensions;
use tonic::Status;

use super::deadline::{Deadline, ending_at};
use super::protocol::ClientProtocol;
use crate::event_log::{EventLog, EventLogError};
use heartbeat_proxy::http_server::Peer;

/// Subscriptions to the event log, for all protocols.
#[derive(Debug, Clone)]
pub(super) struct Subscriptions<T> {
    pub(super) log: EventLog,
    pub(super) timer: T,
}

impl<T> Subscriptions<T>
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    /// Subscribes to the events after `last_event_id`. `request`: the extensions of the request, with the client.
    pub(super) fn events(
        &self,
        last_event_id: &str,
        protocol: ClientProtocol,
        request: &Extensions,
    ) -> Result<
        impl Stream<Item = Result<GatewayEvent, EventLogError>> + Send + 'static,
        EventLogError,
    > {
        let client = request.get().map(|peer: &Peer| tracing::field::display(peer.address));
        let protocol = protocol.name();
        let events = self.log.subscribe(last_event_id).inspect_err(|error| {
            tracing::info!(client, protocol, %error, "subscription rejected");
        })?;
        tracing::info!(client, protocol, last_event_id, "subscribed");
        Ok(events)
    }

    /// Subscribes for a remote call, which may have a deadline.
    pub(super) fn answer(
        &self,
        request: &SubscribeRequest,
        deadline: Option<Deadline>,
        protocol: ClientProtocol,
        extensions: &Extensions,
    ) -> Result<BoxStream<'static, Result<GatewayEvent, Status>>, Status> {
        deadline.map_or(Ok(()), Deadline::check_not_elapsed)?;
        let events = self.events(&request.last_event_id, protocol, extensions)?;
        let events = events.map_err(Status::from);
        Ok(match deadline.and_then(|deadline| deadline.sleep(&self.timer)) {
            Some(sleep) => ending_at(sleep, events.boxed()).boxed(),
            None => events.boxed(),
        })
    }
}

impl From<EventLogError> for Status {
    fn from(error: EventLogError) -> Self {
        match error {
            EventLogError::UnknownId(_) => Self::invalid_argument(error.to_string()),
            EventLogError::Evicted { .. } => Self::out_of_range(error.to_string()),
        }
    }
}
