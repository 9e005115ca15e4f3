use std::sync::Arc;

use bytes::Bytes;
use heartbeat_async::{Config, Scheduler, Telemetry};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, Method, StatusCode, request, response};
use http_body::Body;

use crate::headers;
use crate::response_body::ResponseBody;
use crate::stream_format::StreamFormat;
use crate::{BodyFraming, HeartbeatBody, HeartbeatPolicy};

/// What the request decides about its response.
pub(crate) struct Decision<O> {
    policy: Arc<HeartbeatPolicy<O>>,
    config: Config,
    /// Whether the method is one that streams messages.
    streams: bool,
}

/// An extension of a response that is kept alive, so that an outer layer passes it through (T21).
#[derive(Debug, Clone, Copy)]
struct KeptAlive;

impl<O: Telemetry + Clone> Decision<O> {
    /// `None` if the response passes through in any case.
    pub(crate) fn new(policy: &Arc<HeartbeatPolicy<O>>, request: &request::Parts) -> Option<Self> {
        // The response to HEAD has no body, although its headers describe one. What follows CONNECT is no body.
        if matches!(request.method, Method::HEAD | Method::CONNECT) {
            return None;
        }
        let config = policy.config(&request.headers);
        if config.is_disabled() {
            return None;
        }
        let streams = policy.streams(request.uri.path());
        Some(Self { policy: Arc::clone(policy), config, streams })
    }

    /// Keeps the response alive if possible.
    pub(crate) fn apply<B, P>(
        self,
        response: http::Response<B>,
        scheduler: &P,
    ) -> http::Response<ResponseBody<B, P, O>>
    where
        B: Body<Data = Bytes>,
        P: Scheduler + Clone,
    {
        let (mut head, body) = response.into_parts();
        let framing = Some(&head).filter(|head| can_insert_bytes(head, &body)).and_then(|head| {
            let format = StreamFormat::of(&head.headers)?;
            Some((format, self.policy.framing(format, self.streams)?))
        });
        let Some((format, framing)) = framing else {
            return http::Response::from_parts(head, ResponseBody::passthrough(body));
        };
        head.extensions.insert(KeptAlive);
        if matches!(format, StreamFormat::Sse | StreamFormat::Ndjson)
            && self.policy.sets_proxy_headers()
        {
            headers::disable_proxy_buffering(&mut head.headers);
        }
        let body = self.keep_alive(body, scheduler.clone(), framing);
        http::Response::from_parts(head, ResponseBody::kept_alive(body))
    }

    fn keep_alive<B, P>(
        &self,
        body: B,
        scheduler: P,
        framing: BodyFraming,
    ) -> HeartbeatBody<B, P, O>
    where
        B: Body<Data = Bytes>,
        P: Scheduler,
    {
        let body = HeartbeatBody::new(body, scheduler, self.config, framing);
        body.with_telemetry(self.policy.telemetry().clone())
    }
}

/// Whether the response allows bytes that it does not have itself.
fn can_insert_bytes(head: &response::Parts, body: &impl Body) -> bool {
    let status = head.status;
    let without_body = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT].contains(&status);
    status.is_success()
        && !without_body
        && status != StatusCode::PARTIAL_CONTENT // it says how many bytes it has
        && !LENGTH_OR_DIGEST_HEADERS.iter().any(|header| head.headers.contains_key(header))
        && !is_encoded(&head.headers)
        && head.extensions.get::<KeptAlive>().is_none()
        && body.size_hint().exact().is_none()
        && !body.is_end_stream()
}

/// Headers that fix the bytes of the body by their length or digest, or (`grpc-status`) say that no message follows.
const LENGTH_OR_DIGEST_HEADERS: [HeaderName; 6] = [
    CONTENT_LENGTH,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("grpc-status"),
];

/// Whether the body is encoded as a whole. Servers use `identity` or `none` to switch compression off.
fn is_encoded(headers: &HeaderMap) -> bool {
    let is_identity = |encoding: &[u8]| {
        [&b"identity"[..], b"none"].iter().any(|name| encoding.eq_ignore_ascii_case(name))
    };
    headers.get_all(CONTENT_ENCODING).iter().any(|encoding| !is_identity(encoding.as_bytes()))
}
