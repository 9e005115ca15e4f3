//! The throughput of trackers, compared with copying and searching the same bytes.

use std::hint::black_box;

use bytes::{BufMut as _, Bytes, BytesMut};
use heartbeat_benches::{Bench, Group, OURS, version};
use heartbeat_frame::{
    BoundaryTracker, EnvelopeTracker, GrpcWebTextTracker, HeartbeatMessage, NdjsonTracker,
    SseHeartbeat, SseTracker,
};

/// Bytes per iteration. They fit into the cache, like bytes that were just produced or read.
const STREAM: usize = 1 << 20;

/// Bytes per piece, as from a socket or an encoder.
const PIECE: usize = 16 << 10;

pub(crate) fn envelopes(bench: &mut Bench) {
    let heartbeat = HeartbeatMessage::gateway_event();
    for (size, name) in [(100, "100"), (16 << 10, "16k"), (1 << 20, "1M")] {
        let stream = repeated(&envelope(size));
        let title = format!("envelopes with messages of {size} bytes");
        let mut group = bench.speeds(format!("envelope-{name}"), title);
        limits(&mut group, &stream);
        tracker(&mut group, "EnvelopeTracker", &stream, || EnvelopeTracker::grpc(&heartbeat));
    }

    let stream =
        repeated(&HeartbeatMessage::from_payload([7; 100]).expect("short").envelope_base64());
    let mut group = bench.speeds("base64", "gRPC-Web-text with messages of 100 bytes");
    limits(&mut group, &stream);
    tracker(&mut group, "GrpcWebTextTracker", &stream, || GrpcWebTextTracker::new(&heartbeat));
}

pub(crate) fn lines(bench: &mut Bench) {
    let comment = SseHeartbeat::default();
    for (size, name) in [(20, "20"), (100, "100"), (1000, "1000")] {
        let stream = repeated(format!("data: {}\n\n", "x".repeat(size)).as_bytes());
        let title = format!("events of SSE with {size} bytes of data");
        let mut group = bench.speeds(format!("sse-{name}"), title);
        limits(&mut group, &stream);
        tracker(&mut group, "SseTracker", &stream, || SseTracker::new(&comment));
    }
    for (size, name) in [(20, "20"), (100, "100"), (1000, "1000")] {
        let stream = repeated(format!("{{\"data\":\"{}\"}}\n", "x".repeat(size)).as_bytes());
        let title = format!("lines of NDJSON with {size} bytes of data");
        let mut group = bench.speeds(format!("ndjson-{name}"), title);
        limits(&mut group, &stream);
        tracker(&mut group, "NdjsonTracker", &stream, NdjsonTracker::new);
    }
}

fn envelope(size: usize) -> Bytes {
    HeartbeatMessage::from_payload(vec![7; size]).expect("short").envelope()
}

/// Repeats the complete message until the stream is at least [`STREAM`] bytes long.
fn repeated(message: &[u8]) -> Bytes {
    let count = STREAM.div_ceil(message.len());
    let mut stream = BytesMut::with_capacity(count * message.len());
    (0..count).for_each(|_| stream.put_slice(message));
    stream.freeze()
}

fn limits(group: &mut Group<'_>, stream: &Bytes) {
    let length = stream.len() as u64;
    let mut copy = vec![0; stream.len()];
    group.routine("copy", "std: copied (memcpy)", length, || {
        copy.copy_from_slice(black_box(stream));
        black_box(&mut copy);
    });
    let label = format!("memchr {}: searched for each line feed", version("memchr"));
    group.routine("search", label, length, || {
        black_box(memchr::memchr_iter(b'\n', black_box(stream)).map(black_box).count());
    });
}

/// Measures a tracker that is fed a stream in pieces. The cost includes cloning each piece.
fn tracker<T: BoundaryTracker>(
    group: &mut Group<'_>,
    name: &str,
    stream: &Bytes,
    new: impl Fn() -> T,
) {
    let label = format!("heartbeat-frame {}: {name}", version("heartbeat-frame"));
    let pieces: Vec<Bytes> = stream.chunks(PIECE).map(|piece| stream.slice_ref(piece)).collect();
    group.routine(OURS, label, stream.len() as u64, || {
        let mut tracker = new();
        for piece in &pieces {
            black_box(tracker.feed(&mut black_box(piece.clone())));
        }
        let _ = black_box(tracker.boundary());
    });
}
