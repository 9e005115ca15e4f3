//! `PassthroughReason` on the body, at the observer and in the documentation. In virtual time.

mod support;

use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use heartbeat_async::Observer;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_frame::HeartbeatMessage;
use heartbeat_http::{HeartbeatLayer, HeartbeatPolicy, PassthroughReason, StreamingMethods};
use http::{Request, Response};
use http_body::{Body, SizeHint};
use support::FrameSource;
use tower::{Layer, ServiceExt, service_fn};

const INTERVAL: Duration = Duration::from_secs(15);

/// Records the reasons.
#[derive(Debug, Default)]
struct Reasons(Mutex<Vec<&'static str>>);

impl Observer for Reasons {
    fn on_open(&self) {
        self.0.lock().unwrap().push("open");
    }

    fn on_passthrough(&self, reason: &'static str) {
        self.0.lock().unwrap().push(reason);
    }
}

/// The reason of the body and the reports to the observer.
fn through_layer<B: Body<Data = Bytes>>(
    policy: HeartbeatPolicy,
    request: Request<()>,
    response: Response<B>,
) -> (Option<PassthroughReason>, Vec<&'static str>) {
    let observer = Arc::new(Reasons::default());
    let policy = policy.with_observer(Arc::clone(&observer));
    let layer = HeartbeatLayer::with_scheduler(VirtualTime::new(), policy);
    let mut inner = Some(response);
    let service = layer.layer(service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(inner.take().expect("one request")))
    }));
    let Ok(response) = VirtualTime::new().block_on(service.oneshot(request));
    assert_eq!(response.body().is_kept_alive(), response.body().passthrough_reason().is_none());
    let reports = observer.0.lock().unwrap().clone();
    (response.body().passthrough_reason(), reports)
}

fn policy() -> HeartbeatPolicy {
    let methods = StreamingMethods::paths(["/package.Service/Stream"]);
    HeartbeatPolicy::new(INTERVAL).with_rpc(methods, HeartbeatMessage::empty())
}

fn response(headers: &[(&str, &str)]) -> Response<FrameSource> {
    let response = headers
        .iter()
        .fold(Response::builder(), |response, (name, value)| response.header(*name, *value));
    response.body(FrameSource::new()).expect("valid headers")
}

/// A response for each reason except [`PassthroughReason::KeptAlive`], and its policy.
fn response_for(
    reason: PassthroughReason,
) -> (HeartbeatPolicy, Request<()>, Response<FrameSource>) {
    use PassthroughReason::*;

    let sse = ("content-type", "text/event-stream");
    let sse_with = |name, value| response(&[sse, (name, value)]);
    let (mut policy, mut path, mut method) = (policy(), "/", "GET");
    let inner = match reason {
        Method => {
            method = "HEAD";
            response(&[sse])
        }
        Disabled => {
            policy = HeartbeatPolicy::new(Duration::ZERO);
            response(&[sse])
        }
        ContentType => response(&[("content-type", "text/html"), ("content-length", "2")]),
        RpcMethod => {
            path = "/package.Service/Unary";
            response(&[("content-type", "application/grpc")])
        }
        NoHeartbeat => response(&[("content-type", "application/x-ndjson")]),
        Status => {
            let mut not_found = response(&[sse]);
            *not_found.status_mut() = http::StatusCode::NOT_FOUND;
            not_found
        }
        Length => sse_with("content-length", "2"),
        Digest => sse_with("repr-digest", "sha-256=:AA==:"),
        Signature => sse_with("signature-input", r#"a=("cache-control");keyid="k""#),
        RpcStatus => {
            path = "/package.Service/Stream";
            response(&[("content-type", "application/grpc"), ("grpc-status", "5")])
        }
        ContentEncoding => sse_with("content-encoding", "br"),
        Ended => {
            let ended = response(&[sse]);
            ended.body().set_end_stream();
            ended
        }
        other => panic!("no response for {other}"),
    };
    let request = Request::builder().method(method).uri(path).body(()).expect("a request");
    (policy, request, inner)
}

#[test]
fn each_reason_is_on_the_body_and_reported_once() {
    for &reason in PassthroughReason::ALL {
        let result = if reason == PassthroughReason::KeptAlive {
            let inner = HeartbeatLayer::with_scheduler(VirtualTime::new(), INTERVAL);
            let inner = inner.layer(service_fn(|_: Request<()>| {
                ready(Ok::<_, Infallible>(response(&[("content-type", "text/event-stream")])))
            }));
            let Ok(response) = VirtualTime::new().block_on(inner.oneshot(Request::new(())));
            through_layer(policy(), Request::new(()), response)
        } else {
            let (policy, request, response) = response_for(reason);
            through_layer(policy, request, response)
        };
        assert_eq!(result, (Some(reason), vec![reason.as_str()]));
    }
}

#[test]
fn a_response_that_is_kept_alive_has_no_reason() {
    let sse = response(&[("content-type", "text/event-stream")]);
    assert_eq!(through_layer(policy(), Request::new(()), sse), (None, vec!["open"]));
}

#[test]
fn a_length_by_the_body_is_a_length() {
    let sse = response(&[("content-type", "text/event-stream")]);
    sse.body().set_hint(SizeHint::with_exact(2));
    let (reason, _) = through_layer(policy(), Request::new(()), sse);
    assert_eq!(reason, Some(PassthroughReason::Length));
}

#[test]
fn the_page_explains_each_reason() {
    let page = include_str!("../../../docs/no-heartbeats.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let explained: Vec<&str> =
        rows.map(|(name, _)| name).filter(|name| *name != "reason").collect();
    let reasons: Vec<&str> = PassthroughReason::ALL.iter().map(|reason| reason.as_str()).collect();
    for reason in &reasons {
        assert_eq!(explained.iter().filter(|name| *name == reason).count(), 1, "{reason}");
    }
    assert_eq!(explained.len(), reasons.len(), "{explained:?}");
}
