//! Instruction counts of the hot path, measured with callgrind. They do not depend on the load of the machine. Each line
//! has a limit, and the run fails if a line exceeds its limit.

#![expect(missing_docs, reason = "the macros generate items without documentation")]

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Instant;

use bytes::Bytes;
use futures_core::Stream;
use gungraun::prelude::*;
use gungraun::{Callgrind, EventKind};
use heartbeat_core::Config;
use http_body::Body;

use heartbeat_benches::subjects::{self, Members, StreamHeartbeat, heartbeat};

/// Sets the limit to `instructions` plus 5 %, because the count depends on the compiler and the CPU.
fn counted(instructions: u64) -> LibraryBenchmarkConfig {
    let limits = [(EventKind::Ir, instructions + instructions / 20)];
    let callgrind = Callgrind::default().hard_limits(limits).clone();
    LibraryBenchmarkConfig::default().tool(callgrind).clone()
}

// The instructions of the measurement itself, which the next two lines contain as well.
#[library_benchmark(config = counted(12))]
#[bench::baseline(heartbeat())]
fn counting((mut heartbeat, now): (Box<StreamHeartbeat>, Instant)) -> Box<StreamHeartbeat> {
    black_box(&mut heartbeat);
    black_box(now);
    heartbeat
}

#[library_benchmark(config = counted(31))]
#[bench::one_stream(heartbeat())]
fn on_send((mut heartbeat, now): (Box<StreamHeartbeat>, Instant)) -> Box<StreamHeartbeat> {
    black_box(&mut heartbeat).on_send(black_box(now));
    heartbeat
}

#[library_benchmark(config = counted(146))]
#[bench::unchanged(heartbeat())]
#[bench::after_a_send(after_send(heartbeat()))]
fn poll_deadline((mut heartbeat, now): (Box<StreamHeartbeat>, Instant)) -> Box<StreamHeartbeat> {
    let _ = black_box(black_box(&mut heartbeat).poll_deadline(black_box(now)));
    heartbeat
}

#[library_benchmark]
#[bench::bare(args = (subjects::numbers()), config = counted(10))]
#[bench::with_heartbeats(args = (subjects::numbers_with_heartbeats()), config = counted(26))]
fn next_item<S: Stream<Item = u32>>(mut stream: Pin<Box<S>>) -> Pin<Box<S>> {
    let _ = black_box(stream.as_mut().poll_next(&mut Context::from_waker(Waker::noop())));
    stream
}

#[library_benchmark]
#[bench::bare(args = (subjects::events()), config = counted(68))]
#[bench::sse(args = (subjects::events_with_heartbeats()), config = counted(153))]
#[bench::grpc(args = (subjects::messages_with_heartbeats()), config = counted(152))]
fn next_frame<B: Body<Data = Bytes>>(mut body: Pin<Box<B>>) -> Pin<Box<B>> {
    let _ = black_box(body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop())));
    body
}

#[library_benchmark]
#[bench::one_of_1000(args = (subjects::members()), config = counted(182))]
fn set_on_send(mut members: Box<Members>) -> Box<Members> {
    let Members { set, key, now } = &mut *members;
    black_box(black_box(set).on_send(black_box(*key), black_box(*now)));
    members
}

#[library_benchmark]
#[bench::in_existing_segment(args = (subjects::members()), config = counted(347))]
fn set_insert(mut members: Box<Members>) -> Box<Members> {
    let Members { set, now, .. } = &mut *members;
    let config = black_box(Config::every(subjects::INTERVAL));
    let _ = black_box(black_box(set).insert(&config, black_box(*now), [0; 2]));
    members
}

#[library_benchmark]
#[bench::some_due(args = (subjects::members()), config = counted(381))]
fn set_pop_due(mut members: Box<Members>) -> Box<Members> {
    let Members { set, now, .. } = &mut *members;
    black_box(black_box(set).pop_due(black_box(*now)));
    members
}

#[library_benchmark]
#[bench::unchanged(args = (subjects::members()), config = counted(677))]
#[bench::due(args = (subjects::members_with_due_key()), config = counted(521))]
fn set_poll_deadline(mut members: Box<Members>) -> Box<Members> {
    let Members { set, key, now } = &mut *members;
    let _ = black_box(black_box(set).poll_deadline(black_box(*key), black_box(*now)));
    members
}

#[library_benchmark]
#[bench::one_of_1000(args = (subjects::members()), config = counted(291))]
fn set_remove(mut members: Box<Members>) -> Box<Members> {
    let Members { set, key, .. } = &mut *members;
    black_box(black_box(set).remove(black_box(*key)));
    members
}

fn after_send(
    (mut heartbeat, now): (Box<StreamHeartbeat>, Instant),
) -> (Box<StreamHeartbeat>, Instant) {
    heartbeat.on_send(now);
    (heartbeat, now)
}

library_benchmark_group!(
    name = instructions,
    benchmarks = [
        counting,
        on_send,
        poll_deadline,
        next_item,
        next_frame,
        set_on_send,
        set_insert,
        set_pop_due,
        set_poll_deadline,
        set_remove,
    ]
);

main!(library_benchmark_groups = instructions);
