//! The memory of a stream on a hub. A program without a test harness, whose threads would allocate memory meanwhile.

use std::alloc::System;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream::{Pending, pending};
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{HeartbeatStream, Hub};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const STREAMS: usize = 100_000;

type Quiet = HeartbeatStream<Pending<()>, fn(), Hub<VirtualTime>>;

fn main() {
    let (hub, _task) = Hub::with_timer(VirtualTime::new());
    let mut streams: Vec<Quiet> = Vec::with_capacity(STREAMS);

    let opened = Region::new(ALLOCATOR);
    let heartbeat: fn() = || ();
    for _ in 0..STREAMS {
        let mut stream =
            HeartbeatStream::new(pending(), hub.clone(), Duration::from_secs(15), heartbeat);
        let polled = Pin::new(&mut stream).poll_next(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Pending);
        streams.push(stream);
    }
    let change = opened.change();
    let each = (change.bytes_allocated - change.bytes_deallocated) / STREAMS;
    assert!(each <= 48, "{each} bytes in the hub for each stream");
    assert!(change.allocations < STREAMS / 10, "{change:?}: a stream allocates nothing itself");

    streams.clear();
    let change = opened.change();
    let left = change.bytes_allocated - change.bytes_deallocated;
    // A segment of each shard is kept.
    assert!(left < STREAMS * each / 20, "{left} bytes are left after the streams were dropped");
    let size = size_of::<Quiet>() - size_of::<fn()>();
    assert!(size <= 24, "{size} bytes in the stream itself");
    println!("T15: {each} bytes in the hub for each stream, and {size} in the stream itself");
}
