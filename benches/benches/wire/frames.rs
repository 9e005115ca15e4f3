//! Frames that are encoded once and cloned, or encoded each time.

use std::hint::black_box;

use bytes::{BufMut as _, Bytes, BytesMut};
use heartbeat_benches::{Group, OURS, version};
use heartbeat_frame::{GatewayEvent, HeartbeatMessage, SseHeartbeat};
use prost::Message as _;

pub(crate) fn grpc(group: &mut Group<'_>) {
    baseline(group);
    let event = HeartbeatMessage::encode(&GatewayEvent::heartbeat()).expect("short");
    group.repeat(OURS, cloned(), || drop(black_box(black_box(&event).envelope())));
    let label = format!("prost {}, bytes {}: encoded anew", version("prost"), version("bytes"));
    let event = GatewayEvent::heartbeat();
    group.repeat("anew", label, || drop(black_box(encoded(black_box(&event)))));
}

pub(crate) fn sse(group: &mut Group<'_>) {
    baseline(group);
    let event = SseHeartbeat::event("heartbeat", "42").expect("one line");
    group.repeat(OURS, cloned(), || drop(black_box(black_box(&event).bytes())));
    group.repeat("anew", "std: formatted anew", || {
        let (name, data) = black_box(("heartbeat", "42"));
        drop(black_box(Bytes::from(format!("event: {name}\ndata: {data}\n\n"))));
    });
}

/// An empty call, as the baseline.
fn baseline(group: &mut Group<'_>) {
    let baseline = Bytes::from_static(b"");
    group.repeat("baseline", "an empty loop", || {
        black_box(black_box(&baseline));
    });
}

fn cloned() -> String {
    format!("heartbeat-frame {}: encoded once, and cloned", version("heartbeat-frame"))
}

fn encoded(event: &GatewayEvent) -> Bytes {
    let length = event.encoded_len();
    let mut envelope = BytesMut::with_capacity(5 + length);
    envelope.put_u8(0);
    envelope.put_u32(u32::try_from(length).expect("short"));
    event.encode(&mut envelope).expect("enough capacity");
    envelope.freeze()
}
