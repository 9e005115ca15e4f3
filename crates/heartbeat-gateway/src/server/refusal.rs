//! Requests that are not answered, each told so in the way of its own protocol.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use tonic::Status;

use super::connect;
use super::messages::SUBSCRIBE;
use super::protocol::Protocol;

/// There are too many requests under way already.
pub(super) fn too_many(request: &Parts) -> Response {
    let reason = "as many streams as there may be are open: come back later";
    let mut response = refuse(
        &request.headers,
        Status::resource_exhausted(reason),
        StatusCode::SERVICE_UNAVAILABLE,
    );
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// There is nothing at this path.
pub(super) async fn not_found(request: Request<Body>) -> Response {
    let (head, _) = request.into_parts();
    let path = head.uri.path();
    let reason = format!(
        "nothing is at {path}: there are /events (SSE), /events.ndjson (NDJSON), and {SUBSCRIBE} \
        (gRPC, gRPC-Web and Connect)"
    );
    refuse(&head.headers, Status::unimplemented(reason), StatusCode::NOT_FOUND)
}

/// The message of the request with these headers did not come in time.
pub(super) fn too_late(headers: &HeaderMap) -> Response {
    let reason = "the request's message did not come";
    refuse(headers, Status::deadline_exceeded(reason), StatusCode::REQUEST_TIMEOUT)
}

/// Remote calls are told the status, others that of HTTP.
fn refuse(headers: &HeaderMap, status: Status, otherwise: StatusCode) -> Response {
    match Protocol::of(headers) {
        Some(Protocol::Grpc) => status.into_http(),
        Some(Protocol::Connect(codec)) => connect::refuse(codec, &status),
        Some(Protocol::GrpcWeb) => {
            let mut response = status.into_http(); // where there is no message its trailers may be headers
            if let Some(content_type) = headers.get(CONTENT_TYPE) {
                response.headers_mut().insert(CONTENT_TYPE, content_type.clone());
            }
            response
        }
        _ => (otherwise, format!("{}\n", status.message())).into_response(),
    }
}
