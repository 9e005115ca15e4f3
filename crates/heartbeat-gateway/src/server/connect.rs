//! The Connect protocol for a server stream: envelopes as in gRPC. The last envelope contains the status in JSON; there
//! are no trailers.

use std::cmp::Ordering;
use std::convert::Infallible;
use std::error::Error;
use std::future;

use axum::body::{self, Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use heartbeat_async::Timer;
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use prost::Message;
use serde_json::json;
use tonic::{Code, Status};

use super::deadline::Deadline;
use super::json;
use super::protocol::{ClientProtocol, ConnectCodec, MAX_REQUEST_SIZE};
use super::subscriptions::Subscriptions;

/// Size of the header of an envelope: one byte of flags and four bytes of length.
const HEADER_LEN: usize = 5;

// The flags of an envelope.
const COMPRESSED: u8 = 1;
const END_OF_STREAM: u8 = 2;

/// Answers a call. The status of HTTP is always 200.
pub(super) async fn answer<T>(
    subscriptions: Subscriptions<T>,
    codec: ConnectCodec,
    request: Request<Body>,
) -> Response
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    match subscribe(subscriptions, codec, request).await {
        Ok(events) => respond(codec, Body::from_stream(envelopes(codec, events))),
        Err(status) => reject(codec, &status),
    }
}

/// Responds with an error.
pub(super) fn reject(codec: ConnectCodec, status: &Status) -> Response {
    respond(codec, Body::from(end(Some(status))))
}

fn respond(codec: ConnectCodec, body: Body) -> Response {
    let content_type = match codec {
        ConnectCodec::Proto => "application/connect+proto",
        ConnectCodec::Json => "application/connect+json",
    };
    ([(CONTENT_TYPE, content_type)], body).into_response()
}

async fn subscribe<T>(
    subscriptions: Subscriptions<T>,
    codec: ConnectCodec,
    request: Request<Body>,
) -> Result<BoxStream<'static, Result<GatewayEvent, Status>>, Status>
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    let (head, body) = request.into_parts();
    validate_headers(&head.headers)?;
    let deadline = Deadline::of_connect(&head.headers)?;
    let body = body::to_bytes(body, HEADER_LEN + MAX_REQUEST_SIZE).await.map_err(|error| {
        let text = format!("cannot read a request of up to {MAX_REQUEST_SIZE} bytes: {error}");
        Status::resource_exhausted(text)
    })?;
    let message = single_message(&body)?;
    let request = match codec {
        ConnectCodec::Proto => SubscribeRequest::decode(message).map_err(invalid)?,
        ConnectCodec::Json => json::subscribe_request(message).map_err(invalid)?,
    };
    subscriptions.answer(&request, deadline, ClientProtocol::Connect(codec), &head.extensions)
}

fn invalid(error: impl Error) -> Status {
    Status::invalid_argument(format!("cannot decode the message of the request: {error}"))
}

/// Rejects unsupported versions and compressions.
fn validate_headers(headers: &HeaderMap) -> Result<(), Status> {
    let value = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match value("connect-protocol-version") {
        None | Some("1") => {}
        Some(version) => {
            let text = format!("unsupported connect-protocol-version {version:?}: expected 1");
            return Err(Status::invalid_argument(text));
        }
    }
    match value("connect-content-encoding") {
        None | Some("identity") => Ok(()),
        Some(encoding) => {
            let text = format!("unsupported compression {encoding:?}: expected identity");
            Err(Status::unimplemented(text))
        }
    }
}

/// The payload of the only envelope in the body.
fn single_message(body: &[u8]) -> Result<&[u8], Status> {
    let Some((prefix, rest)) = body.split_first_chunk::<HEADER_LEN>() else {
        return Err(if body.is_empty() {
            Status::unimplemented("the request has no message: expected exactly one")
        } else {
            Status::invalid_argument("the request ends inside the header of its message")
        });
    };
    let [flags, length @ ..] = *prefix;
    if flags & COMPRESSED != 0 {
        return Err(Status::internal(
            "the message is compressed, but no header names the compression",
        ));
    }
    if flags != 0 {
        return Err(Status::invalid_argument(format!(
            "unsupported flags of a message: {flags:#x}"
        )));
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    match rest.len().cmp(&length) {
        Ordering::Less => {
            let text = format!("incomplete message: {} of {length} bytes", rest.len());
            Err(Status::invalid_argument(text))
        }
        Ordering::Equal => Ok(rest),
        Ordering::Greater => Err(Status::unimplemented(
            "the request has data after its message: expected exactly one message",
        )),
    }
}

/// The events in envelopes, and the envelope that ends the stream.
fn envelopes(
    codec: ConnectCodec,
    events: impl Stream<Item = Result<GatewayEvent, Status>>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let events = events.map(Some).chain(stream::iter([None]));
    events.scan(false, move |ended, event| {
        let already_ended = *ended;
        let envelope = match event {
            Some(Ok(event)) => message(codec, &event),
            last => {
                *ended = true;
                end(last.and_then(Result::err).as_ref())
            }
        };
        future::ready((!already_ended).then_some(Ok(envelope)))
    })
}

fn message(codec: ConnectCodec, event: &GatewayEvent) -> Bytes {
    match codec {
        ConnectCodec::Proto => envelope(0, &event.encode_to_vec()),
        ConnectCodec::Json => envelope(0, json::event(event).as_bytes()),
    }
}

/// The envelope that ends the stream, with its status.
fn end(error: Option<&Status>) -> Bytes {
    let end = match error {
        None => json!({}),
        Some(status) => {
            json!({ "error": { "code": name(status.code()), "message": status.message() } })
        }
    };
    envelope(END_OF_STREAM, end.to_string().as_bytes())
}

fn envelope(flags: u8, payload: &[u8]) -> Bytes {
    // An event in memory is far smaller than 4 GiB.
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    [&[flags], &length.to_be_bytes()[..], payload].concat().into()
}

/// The name of a code in Connect.
const fn name(code: Code) -> &'static str {
    match code {
        Code::Cancelled => "canceled",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
        Code::Ok | Code::Unknown => "unknown", // `Ok` is never an error
    }
}
