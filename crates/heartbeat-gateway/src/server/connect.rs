//! The Connect protocol, as far as a stream of the server's needs it: envelopes as in gRPC, of which the
//! last tells in JSON how the stream ended, and no trailers.

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
use super::messages::LONGEST_REQUEST;
use super::protocol::{Codec, Protocol};
use super::subscriptions::Subscriptions;

/// Before each payload: a byte of flags, and the length in four.
const PREFIX: usize = 5;

// The flags of an envelope.
const COMPRESSED: u8 = 1;
const END_OF_STREAM: u8 = 2;

/// Answers a call. Whatever becomes of it, the status of HTTP is 200.
pub(super) async fn answer<T>(
    subscriptions: Subscriptions<T>,
    codec: Codec,
    request: Request<Body>,
) -> Response
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    match subscribe(subscriptions, codec, request).await {
        Ok(events) => respond(codec, Body::from_stream(envelopes(codec, events))),
        Err(status) => refuse(codec, &status),
    }
}

/// Ends a call before it has begun.
pub(super) fn refuse(codec: Codec, status: &Status) -> Response {
    respond(codec, Body::from(end(Some(status))))
}

fn respond(codec: Codec, body: Body) -> Response {
    let content_type = match codec {
        Codec::Proto => "application/connect+proto",
        Codec::Json => "application/connect+json",
    };
    ([(CONTENT_TYPE, content_type)], body).into_response()
}

async fn subscribe<T>(
    subscriptions: Subscriptions<T>,
    codec: Codec,
    request: Request<Body>,
) -> Result<BoxStream<'static, Result<GatewayEvent, Status>>, Status>
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    let (head, body) = request.into_parts();
    is_understood(&head.headers)?;
    let deadline = Deadline::of_connect(&head.headers)?;
    let body = body::to_bytes(body, PREFIX + LONGEST_REQUEST).await.map_err(|error| {
        let text = format!("a request of at most {LONGEST_REQUEST} bytes is to come: {error}");
        Status::resource_exhausted(text)
    })?;
    let message = only_message(&body)?;
    let request = match codec {
        Codec::Proto => SubscribeRequest::decode(message).map_err(invalid)?,
        Codec::Json => json::subscribe_request(message).map_err(invalid)?,
    };
    subscriptions.answer(&request, deadline, Protocol::Connect(codec), &head.extensions)
}

fn invalid(error: impl Error) -> Status {
    Status::invalid_argument(format!("the request's message cannot be decoded: {error}"))
}

/// Whether the headers ask for nothing that is not there.
fn is_understood(headers: &HeaderMap) -> Result<(), Status> {
    let value = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match value("connect-protocol-version") {
        None | Some("1") => {}
        Some(version) => {
            let text = format!("connect-protocol-version is to be 1, and not {version:?}");
            return Err(Status::invalid_argument(text));
        }
    }
    match value("connect-content-encoding") {
        None | Some("identity") => Ok(()),
        Some(encoding) => {
            let text = format!("unknown compression {encoding:?}: supported is identity alone");
            Err(Status::unimplemented(text))
        }
    }
}

/// The payload of the one envelope that the body is to hold.
fn only_message(body: &[u8]) -> Result<&[u8], Status> {
    let Some((prefix, rest)) = body.split_first_chunk::<PREFIX>() else {
        return Err(if body.is_empty() {
            Status::unimplemented("the request holds no message: exactly one is to come")
        } else {
            Status::invalid_argument("the request ends within the prefix of its message")
        });
    };
    let [flags, length @ ..] = *prefix;
    if flags & COMPRESSED != 0 {
        return Err(Status::internal("the message is compressed, but no header says how"));
    }
    if flags != 0 {
        return Err(Status::invalid_argument(format!("a message has no flags such as {flags:#x}")));
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    match rest.len().cmp(&length) {
        Ordering::Less => {
            let text = format!("the message is to have {length} bytes, and has {}", rest.len());
            Err(Status::invalid_argument(text))
        }
        Ordering::Equal => Ok(rest),
        Ordering::Greater => Err(Status::unimplemented(
            "the request goes on after its message: exactly one is to come",
        )),
    }
}

/// The events in their envelopes, and the one that ends the stream.
fn envelopes(
    codec: Codec,
    events: impl Stream<Item = Result<GatewayEvent, Status>>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let events = events.map(Some).chain(stream::iter([None]));
    events.scan(false, move |ended, event| {
        let after_the_end = *ended;
        let envelope = match event {
            Some(Ok(event)) => message(codec, &event),
            last => {
                *ended = true;
                end(last.and_then(Result::err).as_ref())
            }
        };
        future::ready((!after_the_end).then_some(Ok(envelope)))
    })
}

fn message(codec: Codec, event: &GatewayEvent) -> Bytes {
    match codec {
        Codec::Proto => envelope(0, &event.encode_to_vec()),
        Codec::Json => envelope(0, json::event(event).as_bytes()),
    }
}

/// The last envelope: how the stream ended.
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
    // An event is no longer than the log can hold in memory; four gigabytes it never is.
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    [&[flags], &length.to_be_bytes()[..], payload].concat().into()
}

/// What Connect calls a code.
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
        Code::Ok | Code::Unknown => "unknown", // who ends well has no error
    }
}
