//! The events as text, for whoever can read a line: server-sent events and newline-delimited JSON.

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
use super::protocol::Protocol;
use super::resume::Resume;
use super::subscriptions::Subscriptions;
use crate::feed::FeedError;

/// `GET /events`: an event's id is its id, its type its type, and all of it in JSON its data.
pub(super) async fn sse<T>(
    State(subscriptions): State<Subscriptions<T>>,
    Resume(last): Resume,
    request: Extensions,
) -> Result<Response, FeedError>
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    let events = subscriptions.events(&last, Protocol::Sse, &request)?;
    Ok(Sse::new(events.map_ok(|event| sse_event(&event))).into_response())
}

fn sse_event(event: &GatewayEvent) -> Event {
    let sse = Event::default().id(&event.event_id);
    // A field is one line: a type of more has to be taken from the data.
    let one_line = !event.event_type.contains(['\r', '\n']);
    let sse = if one_line { sse.event(&event.event_type) } else { sse };
    sse.data(json::event(event))
}

/// `GET /events.ndjson`: an event in JSON is a line.
pub(super) async fn ndjson<T>(
    State(subscriptions): State<Subscriptions<T>>,
    Resume(last): Resume,
    request: Extensions,
) -> Result<Response, FeedError>
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    let events = subscriptions.events(&last, Protocol::Ndjson, &request)?;
    let lines = events.map_ok(|event| json::event(&event) + "\n");
    let headers = [(CONTENT_TYPE, "application/x-ndjson"), (CACHE_CONTROL, "no-cache")];
    Ok((headers, Body::from_stream(lines)).into_response())
}

impl IntoResponse for FeedError {
    /// Both keep a browser's `EventSource` from coming back with the same id again and again: it gives up
    /// at any status but 200.
    fn into_response(self) -> Response {
        let status = match self {
            Self::UnknownId(_) => StatusCode::BAD_REQUEST,
            Self::Missed { .. } => StatusCode::GONE,
        };
        (status, format!("{self}\n")).into_response()
    }
}
