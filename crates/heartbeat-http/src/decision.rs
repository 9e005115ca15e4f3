use std::sync::{Arc, Weak};

use bytes::Bytes;
use heartbeat_async::{Config, Observer, Scheduler, Telemetry};
use http::{Extensions, Method, StatusCode, request, response};
use http_body::Body;

use crate::response_body::ResponseBody;
use crate::stream_format::StreamFormat;
use crate::{BodyFraming, HeartbeatBody, HeartbeatPolicy, PassthroughReason, exact_bytes, headers};

/// What the request decides about its response.
pub(crate) struct Decision<O> {
    policy: Arc<HeartbeatPolicy<O>>,
    config: Config,
    /// Whether the method is one that streams messages.
    streams: bool,
    /// Whether the response has the headers of the response to GET, and no body.
    is_head: bool,
    /// Why the response passes through in any case.
    reason: Option<PassthroughReason>,
    #[cfg(feature = "tracing")]
    uri: http::Uri,
}

/// An extension of a response that is kept alive, so that an outer layer passes it through (T21). It counts while the
/// body exists: a layer in between may have replaced the body by one without heartbeats.
#[derive(Debug, Clone)]
struct KeptAlive(Weak<()>);

impl KeptAlive {
    fn is_in(extensions: &Extensions) -> bool {
        extensions.get::<Self>().is_some_and(|Self(body)| body.strong_count() > 0)
    }
}

impl<O: Telemetry + Clone> Decision<O> {
    pub(crate) fn new(policy: &Arc<HeartbeatPolicy<O>>, request: &request::Parts) -> Self {
        let config = policy.config(&request.headers);
        let reason = match request.method {
            Method::CONNECT => Some(PassthroughReason::Method), // what follows is no body
            _ => config.is_disabled().then_some(PassthroughReason::Disabled),
        };
        Self {
            policy: Arc::clone(policy),
            config,
            is_head: request.method == Method::HEAD,
            streams: reason.is_none() && policy.is_streaming_method(request.uri.path()),
            reason,
            #[cfg(feature = "tracing")]
            uri: request.uri.clone(),
        }
    }

    /// Keeps the response alive if possible. The response to HEAD gets the headers alone.
    pub(crate) fn apply<B, P>(
        &self,
        response: http::Response<B>,
        scheduler: &P,
    ) -> http::Response<ResponseBody<B, P, O>>
    where
        B: Body<Data = Bytes>,
        P: Scheduler + Clone,
    {
        let (mut head, body) = response.into_parts();
        let (format, framing) = match self.framing(&head, &body) {
            Ok(framing) => framing,
            Err(reason) => return self.pass_through(reason, head, body),
        };
        exact_bytes::drop_byte_promises(&mut head.headers);
        if matches!(format, StreamFormat::Sse | StreamFormat::Ndjson)
            && self.policy.sets_proxy_headers()
        {
            headers::disable_proxy_buffering(&mut head.headers);
        }
        if self.is_head {
            return self.pass_through(PassthroughReason::Method, head, body);
        }
        let body = self.keep_alive(body, scheduler.clone(), framing);
        let exists = Arc::new(());
        head.extensions.insert(KeptAlive(Arc::downgrade(&exists)));
        http::Response::from_parts(head, ResponseBody::kept_alive(body, exists))
    }

    fn pass_through<B: Body, P: Scheduler>(
        &self,
        reason: PassthroughReason,
        head: response::Parts,
        body: B,
    ) -> http::Response<ResponseBody<B, P, O>> {
        self.report(reason, &head);
        http::Response::from_parts(head, ResponseBody::passthrough(body, reason))
    }

    /// The format and the framing of the response, or why it passes through.
    fn framing(
        &self,
        head: &response::Parts,
        body: &impl Body,
    ) -> Result<(StreamFormat, BodyFraming), PassthroughReason> {
        if let Some(reason) = self.reason {
            return Err(reason);
        }
        let format = StreamFormat::of(&head.headers).ok_or(PassthroughReason::ContentType)?;
        if matches!(format, StreamFormat::Rpc(..)) && !self.streams {
            return Err(PassthroughReason::RpcMethod);
        }
        let framing = self.policy.framing(format, self.streams);
        let framing = framing.ok_or(PassthroughReason::NoHeartbeat)?;
        check_head(head)?;
        self.check_length(body)?;
        Ok((format, framing))
    }

    /// Whether the length of the body is unknown. A handler may leave out the body of its response to HEAD.
    fn check_length(&self, body: &impl Body) -> Result<(), PassthroughReason> {
        match body.size_hint().exact() {
            Some(length) if !(self.is_head && length == 0) => Err(PassthroughReason::Length),
            None if body.is_end_stream() && !self.is_head => Err(PassthroughReason::Ended),
            _ => Ok(()),
        }
    }

    fn report(&self, reason: PassthroughReason, head: &response::Parts) {
        #[cfg(feature = "tracing")]
        tracing::debug!(
            target: "heartbeat",
            path = self.uri.path(), // without the query, which may contain secrets
            status = head.status.as_u16(),
            content_type = ?head.headers.get(http::header::CONTENT_TYPE),
            reason = reason.as_str(),
            "response without heartbeats"
        );
        #[cfg(not(feature = "tracing"))]
        let _ = head;
        self.policy.telemetry().observer().on_passthrough(reason.as_str());
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
fn check_head(head: &response::Parts) -> Result<(), PassthroughReason> {
    let status = head.status;
    let without_body = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT].contains(&status);
    if !status.is_success() || without_body || status == StatusCode::PARTIAL_CONTENT {
        return Err(PassthroughReason::Status); // 206 says how many bytes it has
    }
    exact_bytes::check(&head.headers)?;
    if headers::is_encoded(&head.headers) {
        return Err(PassthroughReason::ContentEncoding);
    }
    if KeptAlive::is_in(&head.extensions) {
        return Err(PassthroughReason::KeptAlive);
    }
    Ok(())
}
