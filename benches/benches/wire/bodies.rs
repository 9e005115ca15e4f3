//! The cost of a frame that passes through a body.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Waker};

use bytes::Bytes;
use heartbeat_benches::subjects::{EVENT, INTERVAL, MESSAGE, bare, steady_body, with_heartbeats};
use heartbeat_benches::{Bench, Group, OURS, version};
use heartbeat_tokio::{BodyFraming, HeartbeatMessage, SseHeartbeat};
use http_body::Body;
use tower_http::timeout::TimeoutBody;

pub(crate) fn frames(bench: &mut Bench) {
    let comment = SseHeartbeat::default();
    let message = HeartbeatMessage::gateway_event();
    let long = HeartbeatMessage::from_payload(vec![7; 16 << 10]).expect("short").envelope();
    let frames = [
        (
            "body-sse",
            "an event of SSE of 48 bytes in each frame",
            EVENT,
            BodyFraming::sse(&comment),
        ),
        (
            "body-grpc",
            "a message of gRPC of 45 bytes in each frame",
            MESSAGE,
            BodyFraming::grpc(&message),
        ),
        (
            "body-grpc-16k",
            "a message of gRPC of 16 KiB in each frame",
            long,
            BodyFraming::grpc(&message),
        ),
    ];
    for (name, title, frame, framing) in frames {
        bodies(&mut bench.costs(name, title), &frame, framing);
    }
}

fn bodies(group: &mut Group<'_>, frame: &Bytes, framing: BodyFraming) {
    body(group, "bare", "the bare body".into(), bare(frame.clone()));
    let label = format!("heartbeat-tokio {}: HeartbeatBody", version("heartbeat-tokio"));
    body(group, OURS, label, with_heartbeats(frame.clone(), framing));
    let label = format!("tower-http {}: TimeoutBody", version("tower-http"));
    let with_timeout =
        steady_body(TimeoutBody::new(INTERVAL, *Pin::into_inner(bare(frame.clone()))));
    body(group, "tower-http-timeout", label, with_timeout);
}

fn body<B: Body>(group: &mut Group<'_>, id: &str, label: String, mut body: Pin<Box<B>>) {
    let mut cx = Context::from_waker(Waker::noop());
    group.repeat(id, label, || {
        drop(black_box(black_box(body.as_mut()).poll_frame(&mut cx)));
    });
}
