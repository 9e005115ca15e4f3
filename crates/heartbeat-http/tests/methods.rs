//! Which methods have heartbeats: listed paths, a closure, or a descriptor set.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_http::{HeartbeatLayer, HeartbeatMessage, HeartbeatPolicy, StreamingMethods};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use prost::Message;
use tower::{Layer, ServiceExt, service_fn};

const METHODS: [&str; 8] = [
    "/package.v1.First/Unary",
    "/package.v1.First/Collect",
    "/package.v1.First/Stream",
    "/package.v1.Second/Both",
    "/Service/Stream",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.Watcher/Watch",
    "/grpc.healthy.Service/Watch",
];

/// Those of `METHODS` that have heartbeats.
fn kept_alive(methods: StreamingMethods) -> Vec<&'static str> {
    let policy = HeartbeatPolicy::new(Duration::from_secs(10));
    let policy = policy.with_rpc(methods, HeartbeatMessage::empty());
    let layer = HeartbeatLayer::with_scheduler(VirtualTime::new(), policy);
    let is_kept_alive = |path: &&str| {
        let service = layer.layer(service_fn(|_: Request<()>| async {
            let body = stream::pending::<Result<Frame<Bytes>, Infallible>>();
            let response = Response::builder().header("content-type", "application/grpc");
            response.body(StreamBody::new(body))
        }));
        let request = Request::post(*path).body(()).expect("a path");
        let response = VirtualTime::new().block_on(service.oneshot(request));
        response.expect("a response").body().is_kept_alive()
    };
    METHODS.into_iter().filter(is_kept_alive).collect()
}

#[test]
fn methods_are_listed_by_path() {
    assert_eq!(kept_alive(StreamingMethods::paths(METHODS)), METHODS);
    assert_eq!(kept_alive(StreamingMethods::paths([METHODS[1]])), [METHODS[1]]);
    assert!(kept_alive(StreamingMethods::paths(["package.v1.First/Stream", ""])).is_empty());
}

#[test]
fn methods_are_matched_by_a_closure() {
    let methods = StreamingMethods::matching(|path| path.ends_with("/Stream"));
    assert_eq!(kept_alive(methods), [METHODS[2], METHODS[4]]);
}

#[test]
fn a_closure_matches_no_health_check_and_no_reflection() {
    let methods = StreamingMethods::matching(|path| path.ends_with("/Watch"));
    assert_eq!(kept_alive(methods), [METHODS[7]]);
}

#[test]
fn descriptors_list_server_streaming_methods() -> Result<(), Box<dyn Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let files =
        ["methods.proto", "unnamed.proto", "health.proto", "reflection.proto", "healthy.proto"];
    let set = protox::compile(files, [folder])?;
    let methods = StreamingMethods::from_descriptor_set(set.encode_to_vec())?;
    assert_eq!(kept_alive(methods.clone()), [METHODS[2], METHODS[4], METHODS[7]]);
    let named = methods.with_paths([METHODS[3], METHODS[5]]);
    assert_eq!(
        kept_alive(named),
        METHODS[2..=5].iter().chain(&METHODS[7..]).copied().collect::<Vec<_>>()
    );
    assert!(kept_alive(StreamingMethods::from_descriptor_set([])?).is_empty());
    Ok(())
}

#[test]
fn an_invalid_descriptor_set_is_rejected_with_a_hint() {
    let error = StreamingMethods::from_descriptor_set(b"\x0a\xff").expect_err("truncated");
    assert!(error.to_string().contains("--descriptor_set_out"), "{error}");
    assert!(error.source().is_some());
}
