//! Error responses in the protocol of the request.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use tonic::Status;

use super::connect;

use super::protocol::{ClientProtocol, SUBSCRIBE};

/// The limit of open requests is reached.
pub(super) fn too_many_streams(request: &Parts) -> Response {
    let reason = "too many open streams, retry later";
    let mut response = reject(
        &request.headers,
        Status::resource_exhausted(reason),
        StatusCode::SERVICE_UNAVAILABLE,
    );
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The path is unknown.
pub(super) async fn not_found(request: Request<Body>) -> Response {
    let (head, _) = request.into_parts();
    let path = head.uri.path();
    let reason = format!(
        "unknown path {path}: expected /events (SSE), /events.ndjson (NDJSON) or {SUBSCRIBE} \
        (gRPC, gRPC-Web, Connect)"
    );
    reject(&head.headers, Status::unimplemented(reason), StatusCode::NOT_FOUND)
}

/// The message of the request with these headers did not arrive in time.
pub(super) fn request_timeout(headers: &HeaderMap) -> Response {
    let reason = "the message of the request did not arrive in time";
    reject(headers, Status::deadline_exceeded(reason), StatusCode::REQUEST_TIMEOUT)
}

/// Responds with the gRPC status to a remote call, and with the status of HTTP to other requests.
fn reject(headers: &HeaderMap, status: Status, otherwise: StatusCode) -> Response {
    match ClientProtocol::of(headers) {
        Some(ClientProtocol::Grpc) => status.into_http(),
        Some(ClientProtocol::Connect(codec)) => connect::reject(codec, &status),
        Some(ClientProtocol::GrpcWeb) => {
            let mut response = status.into_http(); // without a message gRPC-Web allows trailers in the headers
            if let Some(content_type) = headers.get(CONTENT_TYPE) {
                response.headers_mut().insert(CONTENT_TYPE, content_type.clone());
            }
            response
        }
        _ => (otherwise, format!("{}\n", status.message())).into_response(),
    }
}
