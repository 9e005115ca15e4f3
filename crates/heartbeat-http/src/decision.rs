use std::sync::Arc;

use bytes::Bytes;
use heartbeat_async::{Config, Scheduler, Telemetry};
use http::{Method, StatusCode, request, response};
use http_body::Body;

use crate::response_body::ResponseBody;
use crate::stream_format::StreamFormat;
use crate::{BodyFraming, HeartbeatBody, HeartbeatPolicy, exact_bytes, headers};

/// What the request decides about its response.
pub(crate) struct Decision<O> {
    policy: Arc<HeartbeatPolicy<O>>,
    config: Config,
    /// Whether the method is one that streams messages.
    streams: bool,
    /// Whether the response has the headers of the response to GET, and no body.
    is_head: bool,
}

/// An extension of a response that is kept alive, so that an outer layer passes it through (T21).
#[derive(Debug, Clone, Copy)]
struct KeptAlive;

impl<O: Telemetry + Clone> Decision<O> {
    /// `None` if the response passes through in any case.
    pub(crate) fn new(policy: &Arc<HeartbeatPolicy<O>>, request: &request::Parts) -> Option<Self> {
        // What follows CONNECT is no body.
        if request.method == Method::CONNECT {
            return None;
        }
        let config = policy.config(&request.headers);
        if config.is_disabled() {
            return None;
        }
        let streams = policy.streams(request.uri.path());
        let is_head = request.method == Method::HEAD;
        Some(Self { policy: Arc::clone(policy), config, streams, is_head })
    }

    /// Keeps the response alive if possible. The response to HEAD gets the headers alone.
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
        let can_insert = can_insert_bytes(&head) && self.may_have_more(&body);
        let framing = Some(&head).filter(|_| can_insert).and_then(|head| {
            let format = StreamFormat::of(&head.headers)?;
            Some((format, self.policy.framing(format, self.streams)?))
        });
        let Some((format, framing)) = framing else {
            return http::Response::from_parts(head, ResponseBody::passthrough(body));
        };
        exact_bytes::withdraw(&mut head.headers);
        if matches!(format, StreamFormat::Sse | StreamFormat::Ndjson)
            && self.policy.sets_proxy_headers()
        {
            headers::disable_proxy_buffering(&mut head.headers);
        }
        if self.is_head {
            return http::Response::from_parts(head, ResponseBody::passthrough(body));
        }
        head.extensions.insert(KeptAlive);
        let body = self.keep_alive(body, scheduler.clone(), framing);
        http::Response::from_parts(head, ResponseBody::kept_alive(body))
    }

    /// Whether the length of the body is unknown. A handler may leave out the body of its response to HEAD.
    fn may_have_more(&self, body: &impl Body) -> bool {
        match body.size_hint().exact() {
            Some(length) => self.is_head && length == 0,
            None => self.is_head || !body.is_end_stream(),
        }
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

/// Whether the head of the response allows bytes that the handler has not sent.
fn can_insert_bytes(head: &response::Parts) -> bool {
    let status = head.status;
    let without_body = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT].contains(&status);
    status.is_success()
        && !without_body
        && status != StatusCode::PARTIAL_CONTENT // it says how many bytes it has
        && !exact_bytes::are_promised(&head.headers)
        && !headers::is_encoded(&head.headers)
        && head.extensions.get::<KeptAlive>().is_none()
}
