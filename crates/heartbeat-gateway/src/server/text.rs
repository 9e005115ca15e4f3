//! The events as text: server-sent events and newline-delimited JSON.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Extensions, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use heartbeat_async::Timer;
use heartbeat_frame::GatewayEvent;

use super::json;
use super::protocol::ClientProtocol;
use super::resume::Resume;
use super::subscriptions::Subscriptions;
use crate::event_log::EventLogError;

/// `GET /events`: each event with its id and type; the data is the event in JSON.
pub(super) async fn sse<T>(
    State(subscriptions): State<Subscriptions<T>>,
    Resume(last): Resume,
    request: Extensions,
) -> Result<Response, EventLogError>
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    let events = subscriptions.events(&last, ClientProtocol::Sse, &request)?;
    Ok(Sse::new(events.map_ok(|event| sse_event(&event))).into_response())
}

fn sse_event(event: &GatewayEvent) -> Event {
    let sse = Event::default().id(&event.event_id);
    // A field has one line. A type with line breaks is only in the data.
    let one_line = !event.event_type.contains(['\r', '\n']);
    let sse = if one_line { sse.event(&event.event_type) } else { sse };
    sse.data(json::event(event))
}

/// `GET /events.ndjson`: each event is a line of JSON.
pub(super) async fn ndjson<T>(
    State(subscriptions): State<Subscriptions<T>>,
    Resume(last): Resume,
    request: Extensions,
) -> Result<Response, EventLogError>
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    let events = subscriptions.events(&last, ClientProtocol::Ndjson, &request)?;
    let lines = events.map_ok(|event| json::event(&event) + "\n");
    let headers = [(CONTENT_TYPE, "application/x-ndjson"), (CACHE_CONTROL, "no-cache")];
    Ok((headers, Body::from_stream(lines)).into_response())
}

impl IntoResponse for EventLogError {
    /// A browser's `EventSource` does not reconnect after a status other than 200, so it does not retry the same id for
    /// ever.
    fn into_response(self) -> Response {
        let status = match self {
            Self::UnknownId(_) => StatusCode::BAD_REQUEST,
            Self::Evicted { .. } => StatusCode::GONE,
        };
        (status, format!("{self}\n")).into_response()
    }
}
