use std::sync::Arc;

use heartbeat_async::{Audience, Config, Scheduler};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, Method, StatusCode, request, response};
use http_body::Body;

use crate::headers;
use crate::media::Media;
use crate::response_body::ResponseBody;
use crate::{BodyFraming, HeartbeatBody, HeartbeatPolicy};

use bytes::Bytes;

/// What is known of a response before it is there.
pub(crate) struct Plan<O> {
    policy: Arc<HeartbeatPolicy<O>>,
    config: Config,
    /// Whether the method is one that streams messages.
    streams: bool,
}

/// In the extensions of a response that is kept alive, so that a layer around this one leaves it
/// alone (T21).
#[derive(Debug, Clone, Copy)]
struct KeptAlive;

impl<O: Audience + Clone> Plan<O> {
    /// None where the response passes, whatever it is.
    pub(crate) fn new(policy: &Arc<HeartbeatPolicy<O>>, request: &request::Parts) -> Option<Self> {
        // The answer to HEAD has no body, though its headers say what it would be. What follows
        // CONNECT is no body.
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

    /// Keeps the response alive, if it is one that can be.
    pub(crate) fn carry_out<B, P>(
        self,
        response: http::Response<B>,
        scheduler: &P,
    ) -> http::Response<ResponseBody<B, P, O>>
    where
        B: Body<Data = Bytes>,
        P: Scheduler + Clone,
    {
        let (mut head, body) = response.into_parts();
        let framing = Some(&head).filter(|head| may_grow(head, &body)).and_then(|head| {
            let media = Media::of(&head.headers)?;
            Some((media, self.policy.framing(media, self.streams)?))
        });
        let Some((media, framing)) = framing else {
            return http::Response::from_parts(head, ResponseBody::untouched(body));
        };
        head.extensions.insert(KeptAlive);
        if matches!(media, Media::Sse | Media::Ndjson) && self.policy.sets_proxy_headers() {
            headers::let_through(&mut head.headers);
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
        body.with_observer(self.policy.observer().clone())
    }
}

/// Whether more bytes may come than the response has by itself.
fn may_grow(head: &response::Parts, body: &impl Body) -> bool {
    let status = head.status;
    let without_body = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT].contains(&status);
    status.is_success()
        && !without_body
        && status != StatusCode::PARTIAL_CONTENT // so many bytes as it says
        && !FIXED.iter().any(|header| head.headers.contains_key(header))
        && !is_encoded(&head.headers)
        && head.extensions.get::<KeptAlive>().is_none()
        && body.size_hint().exact().is_none()
        && !body.is_end_stream()
}

/// With any of these the bytes are settled: how many there are, what their digest is; or that no message
/// follows, since the trailers have come already.
const FIXED: [HeaderName; 6] = [
    CONTENT_LENGTH,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("grpc-status"),
];

/// Whether the bytes are encoded as a whole. Servers of events that keep compression off say so by an encoding
/// that is none.
fn is_encoded(headers: &HeaderMap) -> bool {
    let is_none = |encoding: &[u8]| {
        [&b"identity"[..], b"none"].iter().any(|none| encoding.eq_ignore_ascii_case(none))
    };
    headers.get_all(CONTENT_ENCODING).iter().any(|encoding| !is_none(encoding.as_bytes()))
}
