//! Trackers do not allocate, except to forward bytes that turned out to be no byte order mark. A
//! program without a test harness, because the threads of the harness allocate too.

use std::alloc::System;

use bytes::Bytes;
use heartbeat_frame::{
    Boundary, BoundaryTracker, EnvelopeTracker, GrpcWebTextTracker, HeartbeatMessage,
    NdjsonTracker, SseHeartbeat, SseTracker, Tracker,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let heartbeat = HeartbeatMessage::default();
    let comment = SseHeartbeat::default();
    let allocations = Region::new(ALLOCATOR);

    let trackers: [(Tracker, &'static [u8]); 4] = [
        (EnvelopeTracker::grpc(&heartbeat).into(), b"\0\0\0\0\x02hi"),
        (GrpcWebTextTracker::new(&heartbeat).into(), b"AAAAAAJoaQ=="),
        (SseTracker::new(&comment).into(), b"data: x\r\n\r\n"),
        (NdjsonTracker::new().into(), b"{}\r\n"),
    ];
    for (mut tracker, event) in trackers {
        tracker.on_heartbeat();
        let event = Bytes::from_static(event);
        for _ in 0..100 {
            for cut in 0..=event.len() {
                tracker.feed(&mut event.slice(..cut));
                tracker.feed(&mut event.slice(cut..));
                assert_eq!(tracker.boundary(), Boundary::Open);
            }
        }
    }
    let change = allocations.change();
    assert_eq!(change.allocations + change.reallocations, 0, "{change:?}");

    let mut tracker = NdjsonTracker::new();
    tracker.on_heartbeat();
    tracker.feed(&mut Bytes::from_static(b"\xef"));
    tracker.feed(&mut Bytes::from_static(b"\xbb!"));
    assert_eq!(allocations.change().allocations, 1, "exactly one");
    println!("no tracker allocates");
}
