use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The id of the last event that the client has received; empty if the request has none.
///
/// The header `Last-Event-ID` has precedence over the query: a browser that reconnects sends the header together with
/// the original URL.
#[derive(Debug)]
pub(super) struct Resume(pub(super) String);

#[derive(Deserialize)]
struct ResumeQuery {
    #[serde(default)]
    last_event_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Resume {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        if let Some(id) = parts.headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) {
            return Ok(Self(String::from_utf8_lossy(id.as_bytes()).into_owned()));
        }
        let query = Query::from_request_parts(parts, state).await;
        let Query(ResumeQuery { last_event_id }) = query.map_err(|_| {
            let reason = "more than one last_event_id in the query: expected at most one\n";
            (StatusCode::BAD_REQUEST, reason).into_response()
        })?;
        Ok(Self(last_event_id))
    }
}
