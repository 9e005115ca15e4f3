//! `HeartbeatLayer`: which responses have heartbeats, of which format and interval. In virtual time.

mod support;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{Config, Counters, NoObserver, Telemetry, Timer};
use heartbeat_frame::{HeartbeatMessage, NdjsonHeartbeat, SseHeartbeat};
use heartbeat_http::{
    HeartbeatLayer, HeartbeatPolicy, HeartbeatService, PassthroughReason, ResponseBody,
    ResponseFuture, RpcHeartbeat, StreamingMethods,
};
use http::request::Parts;
use http::{HeaderName, Request, Response};
use http_body::{Body, SizeHint};
use http_body_util::{BodyExt, Empty, Full};
use static_assertions::assert_impl_all;
use support::FrameSource;
use tower::util::ServiceFn;
use tower::{Layer, ServiceExt, service_fn};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const STREAM: &str = "/package.Service/Stream";
const UNARY: &str = "/package.Service/Unary";

/// A policy with heartbeats for all formats.
fn full_policy() -> HeartbeatPolicy {
    let json = HeartbeatMessage::from_payload("{}").expect("short");
    HeartbeatPolicy::new(secs(10)).with_ndjson(NdjsonHeartbeat::BlankLine).with_rpc(
        StreamingMethods::paths([STREAM]),
        RpcHeartbeat::new(HeartbeatMessage::empty()).with_json(json),
    )
}

/// Passes a response through a layer.
fn call_layer<B, O>(
    layer: &HeartbeatLayer<VirtualTime, O>,
    request: Request<()>,
    response: Response<B>,
) -> Response<ResponseBody<B, VirtualTime, O>>
where
    B: Body<Data = Bytes>,
    O: Telemetry + Clone,
{
    let mut response = Some(response);
    let service = layer.layer(service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(response.take().expect("called once")))
    }));
    let Ok(response) = VirtualTime::new().block_on(service.oneshot(request));
    response
}

fn get(path: &str) -> Request<()> {
    Request::get(path).body(()).expect("a path")
}

fn response_with(content_type: &str) -> Response<FrameSource> {
    let response = Response::builder().header("content-type", content_type);
    response.body(FrameSource::new()).expect("a content type")
}

/// The first heartbeat that the layer adds to the response, and its time; `None` if there are no heartbeats.
fn first_heartbeat<O: Telemetry + Clone>(
    policy: impl Into<HeartbeatPolicy<O>>,
    request: Request<()>,
    response: Response<FrameSource>,
) -> Option<(Bytes, Duration)> {
    let time = VirtualTime::new();
    let layer = HeartbeatLayer::with_scheduler(time.clone(), policy);
    let mut response = call_layer(&layer, request, response);
    if !response.body().is_kept_alive() {
        return None;
    }
    time.block_on(async {
        let frame = response.body_mut().frame().await.expect("no end").expect("no error");
        Some((frame.into_data().expect("data"), time.now()))
    })
}

fn heartbeat(of: &str, path: &str) -> Option<Bytes> {
    first_heartbeat(full_policy(), get(path), response_with(of)).map(|(heartbeat, _)| heartbeat)
}

#[test]
fn only_server_sent_events_have_heartbeats_by_default() {
    let sse = |content_type| first_heartbeat(secs(15), get("/"), response_with(content_type));
    assert_eq!(sse("text/event-stream"), Some((":\n".into(), secs(15))));
    assert_eq!(sse("Text/Event-Stream ; charset=utf-8"), Some((":\n".into(), secs(15))));
    for other in ["application/x-ndjson", "application/grpc", "text/html", "text/event-stream2", ""]
    {
        assert_eq!(sse(other), None, "{other}");
    }
}

#[test]
fn each_content_type_has_its_heartbeat() {
    for ndjson in [
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/json-lines",
        "application/stream+json",
        "Application/X-JsonL; charset=utf-8",
    ] {
        assert_eq!(heartbeat(ndjson, "/").as_deref(), Some(&b"\n"[..]), "{ndjson}");
    }
    for (content_type, expected) in [
        ("application/grpc", "\0\0\0\0\0"),
        ("application/grpc+proto", "\0\0\0\0\0"),
        ("application/grpc+json", "\0\0\0\0\x02{}"),
        ("application/grpc-web", "\0\0\0\0\0"),
        ("application/grpc-web+proto", "\0\0\0\0\0"),
        ("application/grpc-web+json", "\0\0\0\0\x02{}"),
        ("application/grpc-web-text", "AAAAAAA="),
        ("application/grpc-web-text+proto", "AAAAAAA="),
        ("application/connect+proto", "\0\0\0\0\0"),
        ("application/connect+json", "\0\0\0\0\x02{}"),
    ] {
        assert_eq!(
            heartbeat(content_type, STREAM).expect(content_type),
            expected,
            "{content_type}"
        );
        assert_eq!(heartbeat(content_type, UNARY), None, "{content_type}");
    }
    for other in [
        "application/grpc+thrift",
        "application/grpc-web-text+json",
        "application/connect",
        "application/connect+cbor",
        "application/json",
        "application/json-seq",
        "application/x-json-stream",
        "application/proto",
        "application/grpcish",
        "grpc",
    ] {
        assert_eq!(heartbeat(other, STREAM), None, "{other}");
    }
}

#[test]
fn json_has_no_heartbeats_without_a_json_message() {
    let policy = HeartbeatPolicy::new(secs(10))
        .with_rpc(StreamingMethods::matching(|_| true), HeartbeatMessage::empty());
    let heartbeat =
        |content_type| first_heartbeat(policy.clone(), get(STREAM), response_with(content_type));
    assert_eq!(heartbeat("application/connect+json"), None);
    assert!(heartbeat("application/connect+proto").is_some());
}

#[test]
fn a_policy_sets_the_heartbeat_of_each_format_or_disables_it() {
    let comment = SseHeartbeat::comment("still here").expect("no line break");
    let policy =
        HeartbeatPolicy::new(secs(10)).with_sse(&comment).with_ndjson(NdjsonHeartbeat::Space);
    let heartbeat =
        |content_type| first_heartbeat(policy.clone(), get("/"), response_with(content_type));
    assert_eq!(heartbeat("text/event-stream").expect("kept alive").0, ":still here\n");
    assert_eq!(heartbeat("application/jsonl").expect("kept alive").0, " ");
    let none = HeartbeatPolicy::new(secs(10)).without_sse();
    assert_eq!(first_heartbeat(none, get("/"), response_with("text/event-stream")), None);
}

/// Whether an SSE response with this change passes without heartbeats. Its status and headers are unchanged then.
fn passes_unchanged(change: impl FnOnce(&mut Response<FrameSource>)) -> bool {
    let mut response = response_with("text/event-stream");
    change(&mut response);
    let before = (response.status(), response.headers().clone());
    let layer = HeartbeatLayer::with_scheduler(VirtualTime::new(), secs(10));
    let response = call_layer(&layer, get("/"), response);
    let passed = !response.body().is_kept_alive();
    assert_eq!(passed, before == (response.status(), response.headers().clone()));
    passed
}

#[test]
fn responses_that_cannot_grow_pass_unchanged() {
    assert!(!passes_unchanged(|_| {}));
    for header in
        ["content-length", "content-digest", "content-md5", "digest", "repr-digest", "grpc-status"]
    {
        let passed = passes_unchanged(|response| {
            response.headers_mut().insert(header, "1".parse().expect("a value"));
        });
        assert!(passed, "{header}");
    }
    for (encoding, encoded) in [("gzip", true), ("None", false), ("identity", false)] {
        let passed = passes_unchanged(|response| {
            let encoding = encoding.parse().expect("a value");
            response.headers_mut().insert("content-encoding", encoding);
        });
        assert_eq!(passed, encoded, "{encoding}");
    }
    for status in [100, 101, 204, 205, 206, 302, 304, 404, 500] {
        let passed = passes_unchanged(|response| {
            *response.status_mut() = status.try_into().expect("a status");
        });
        assert!(passed, "{status}");
    }
    for status in [200, 201, 203] {
        let passed = passes_unchanged(|response| {
            *response.status_mut() = status.try_into().expect("a status");
        });
        assert!(!passed, "{status}");
    }
    assert!(passes_unchanged(|response| response.body().set_hint(SizeHint::with_exact(7))));
    assert!(passes_unchanged(|response| response.body().set_end_stream()));
}

#[test]
fn responses_to_head_and_connect_get_no_heartbeats() {
    for method in ["HEAD", "CONNECT"] {
        let request = Request::builder().method(method).uri("/").body(()).expect("a request");
        assert_eq!(
            first_heartbeat(secs(10), request, response_with("text/event-stream")),
            None,
            "{method}"
        );
    }
    let post = Request::post("/").body(()).expect("a request");
    assert!(first_heartbeat(secs(10), post, response_with("text/event-stream")).is_some());
}

#[test]
fn a_body_without_heartbeats_keeps_its_size() {
    let layer = HeartbeatLayer::with_scheduler(VirtualTime::new(), secs(10));
    let response = Response::builder().header("content-type", "text/event-stream");
    let response = response.body(Full::new(Bytes::from("data: 1\n\n"))).expect("a response");
    let response = call_layer(&layer, get("/"), response);
    assert_eq!(response.body().size_hint().exact(), Some(9));
    assert!(!response.body().is_end_stream());
}

#[test]
fn t21_a_second_layer_adds_no_heartbeats() {
    let layer = HeartbeatLayer::with_scheduler(VirtualTime::new(), secs(10));
    let inner = call_layer(&layer, get("/"), response_with("text/event-stream"));
    assert!(inner.body().is_kept_alive());
    let outer = call_layer(&layer, get("/"), inner);
    assert!(!outer.body().is_kept_alive());
}

#[test]
fn t21_a_body_that_replaces_one_with_heartbeats_gets_its_own() {
    let layer = HeartbeatLayer::with_scheduler(VirtualTime::new(), secs(10));
    let inner = call_layer(&layer, get("/"), response_with("text/event-stream"));
    let replaced = inner.map(|_| FrameSource::new());
    assert!(call_layer(&layer, get("/"), replaced).body().is_kept_alive());

    let inner = call_layer(&layer, get("/"), response_with("text/event-stream"));
    let wrapped = inner.map(|body| body.map_frame(|frame| frame));
    assert!(!call_layer(&layer, get("/"), wrapped).body().is_kept_alive());
}

#[test]
fn the_response_asks_proxies_not_to_buffer() {
    let layer = |policy| HeartbeatLayer::with_scheduler(VirtualTime::new(), policy);
    let headers = |policy: HeartbeatPolicy, content_type: &str| {
        call_layer(&layer(policy), get(STREAM), response_with(content_type)).headers().clone()
    };
    for content_type in ["text/event-stream", "application/x-ndjson"] {
        let set = headers(full_policy(), content_type);
        assert_eq!(set["x-accel-buffering"], "no");
        assert_eq!(set["cache-control"], "no-transform");
        assert_eq!(headers(full_policy().with_proxy_headers(false), content_type).len(), 1);
    }
    assert_eq!(headers(full_policy(), "application/grpc").len(), 1);
}

#[test]
fn the_first_matching_route_applies() {
    let time = VirtualTime::new();
    let starts_with =
        |prefix: &'static str| move |request: &Parts| request.uri.path().starts_with(prefix);
    let layer = HeartbeatLayer::with_scheduler(time.clone(), secs(10))
        .with_route(starts_with("/a/never"), Duration::ZERO)
        .with_route(starts_with("/a"), Config::every(secs(1)));
    let first = |path| {
        let began = time.now();
        let mut response = call_layer(&layer, get(path), response_with("text/event-stream"));
        let kept_alive = response.body().is_kept_alive();
        kept_alive.then(|| {
            time.block_on(response.body_mut().frame());
            time.now().saturating_sub(began)
        })
    };
    assert_eq!(first("/"), Some(secs(10)));
    assert_eq!(first("/a"), Some(secs(1)));
    assert_eq!(first("/a/never"), None);
}

#[test]
fn a_client_may_request_an_interval_within_the_allowed_range() {
    let first_after = |policy: HeartbeatPolicy, value: &str| {
        let request = Request::get("/").header("heartbeat-interval", value).body(());
        first_heartbeat(policy, request.expect("a request"), response_with("text/event-stream"))
            .map(|(_, after)| after)
    };
    let header = HeaderName::from_static("heartbeat-interval");
    let allowing =
        |range| HeartbeatPolicy::new(secs(10)).with_client_interval(header.clone(), range);
    assert_eq!(first_after(HeartbeatPolicy::new(secs(10)), "7"), Some(secs(10))); // by default the header is ignored
    for (value, after) in [
        ("7", secs(7)),
        (" 2.5 ", secs(2)),
        ("0", secs(2)),
        ("1", secs(2)),
        ("99", secs(60)),
        ("1e300", secs(10)), // does not fit into a `Duration`
        ("inf", secs(10)),
        ("NaN", secs(10)),
        ("-7", secs(10)),
        ("soon", secs(10)),
        ("", secs(10)),
    ] {
        assert_eq!(first_after(allowing(secs(2)..=secs(60)), value), Some(after), "{value:?}");
    }
    assert_eq!(first_after(allowing(secs(0)..=secs(60)), "0"), None);
    assert_eq!(first_after(allowing(secs(0)..=secs(60)), "0.000000001"), Some(secs(1))); // clamped to the minimum
    let millis = Duration::from_millis;
    assert_eq!(first_after(allowing(millis(1)..=secs(60)), "7.9"), Some(secs(7)));
    assert_eq!(first_after(allowing(millis(1)..=secs(60)), "0.0129"), Some(millis(12)));
    assert_eq!(first_after(allowing(millis(2500)..=secs(60)), "2.9"), Some(millis(2500)));
    assert_eq!(first_after(allowing(secs(60)..=secs(2)), "7"), Some(secs(60))); // an empty range
    let off = HeartbeatPolicy::new(Duration::ZERO).with_client_interval(header, secs(2)..=secs(60));
    assert_eq!(first_after(off, "7"), None);
}

#[test]
fn t1_an_interval_of_zero_disables_heartbeats() {
    assert_eq!(first_heartbeat(Duration::ZERO, get("/"), response_with("text/event-stream")), None);
}

#[test]
fn t19_an_observer_counts_each_response() {
    let counters: Arc<Counters> = Arc::default();
    let policy = HeartbeatPolicy::new(secs(10)).with_observer(Arc::clone(&counters));
    let layer = HeartbeatLayer::with_scheduler(VirtualTime::new(), policy);
    let first = call_layer(&layer, get("/"), response_with("text/event-stream"));
    let second = call_layer(&layer, get("/"), response_with("text/event-stream"));
    let other = call_layer(&layer, get("/"), response_with("text/html"));
    assert_eq!(counters.snapshot().live, 2);
    drop((first, second, other));
    assert_eq!(counters.snapshot().live, 0);
}

#[test]
fn heartbeats_can_be_disabled_for_some_requests_of_a_layer_with_an_observer() {
    let counters: Arc<Counters> = Arc::default();
    let policy = HeartbeatPolicy::new(secs(10)).with_observer(Arc::clone(&counters));
    let layer = HeartbeatLayer::with_scheduler(VirtualTime::new(), policy)
        .with_route(|_| true, HeartbeatPolicy::new(secs(1)).with_observer(Arc::clone(&counters)))
        .without_heartbeats(|request| request.uri.path() == "/never");
    let call = |path| call_layer(&layer, get(path), response_with("text/event-stream"));
    let (on, off) = (call("/"), call("/never"));
    assert!(on.body().is_kept_alive());
    assert_eq!(off.body().passthrough_reason(), Some(PassthroughReason::Disabled));
    assert_eq!(counters.snapshot().live, 1);
}

type Handler = ServiceFn<fn(Request<()>) -> Ready<Result<Response<Empty<Bytes>>, Infallible>>>;
assert_impl_all!(HeartbeatLayer<VirtualTime>: Clone, Send, Sync, Unpin);
assert_impl_all!(HeartbeatService<Handler, VirtualTime>: Clone, Send, Sync, Unpin);
assert_impl_all!(ResponseFuture<Ready<()>, VirtualTime>: Send, Sync, Unpin);
assert_impl_all!(HeartbeatPolicy<Arc<Counters>>: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(HeartbeatPolicy<NoObserver>: From<Duration>, From<Config>);
