//! How many instructions the hot path takes, counted by callgrind: they do not depend on what else the
//! machine does. Each line has a limit, and a run in which one passes it fails.

#![expect(missing_docs, reason = "the macros make items without docs")]

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

use heartbeat_benches::subjects::{self, Machine, Members, machine};

/// The limit is what was counted and a twentieth: another compiler or another CPU may do it in another
/// way.
fn counted(instructions: u64) -> LibraryBenchmarkConfig {
    let limits = [(EventKind::Ir, instructions + instructions / 20)];
    let callgrind = Callgrind::default().hard_limits(limits).clone();
    LibraryBenchmarkConfig::default().tool(callgrind).clone()
}

// What it costs to be counted: this is in the next two as well.
#[library_benchmark(config = counted(12))]
#[bench::at_all(machine())]
fn counting((mut heart, now): (Box<Machine>, Instant)) -> Box<Machine> {
    black_box(&mut heart);
    black_box(now);
    heart
}

#[library_benchmark(config = counted(31))]
#[bench::of_the_machine(machine())]
fn on_send((mut heart, now): (Box<Machine>, Instant)) -> Box<Machine> {
    black_box(&mut heart).on_send(black_box(now));
    heart
}

#[library_benchmark(config = counted(146))]
#[bench::no_news(machine())]
#[bench::after_a_send(sent(machine()))]
fn poll_deadline((mut heart, now): (Box<Machine>, Instant)) -> Box<Machine> {
    let _ = black_box(black_box(&mut heart).poll_deadline(black_box(now)));
    heart
}

#[library_benchmark]
#[bench::bare(args = (subjects::numbers()), config = counted(10))]
#[bench::kept_alive(args = (subjects::numbers_kept_alive()), config = counted(26))]
fn next_item<S: Stream<Item = u32>>(mut stream: Pin<Box<S>>) -> Pin<Box<S>> {
    let _ = black_box(stream.as_mut().poll_next(&mut Context::from_waker(Waker::noop())));
    stream
}

#[library_benchmark]
#[bench::bare(args = (subjects::events()), config = counted(68))]
#[bench::sse(args = (subjects::events_kept_alive()), config = counted(153))]
#[bench::grpc(args = (subjects::messages_kept_alive()), config = counted(152))]
fn next_frame<B: Body<Data = Bytes>>(mut body: Pin<Box<B>>) -> Pin<Box<B>> {
    let _ = black_box(body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop())));
    body
}

#[library_benchmark]
#[bench::any(args = (subjects::members()), config = counted(182))]
fn set_on_send(mut members: Box<Members>) -> Box<Members> {
    let Members { set, key, now } = &mut *members;
    black_box(black_box(set).on_send(black_box(*key), black_box(*now)));
    members
}

#[library_benchmark]
#[bench::within_its_segments(args = (subjects::members()), config = counted(347))]
fn set_insert(mut members: Box<Members>) -> Box<Members> {
    let Members { set, now, .. } = &mut *members;
    let config = black_box(Config::every(subjects::INTERVAL));
    let _ = black_box(black_box(set).insert(&config, black_box(*now), [0; 2]));
    members
}

#[library_benchmark]
#[bench::some_are_due(args = (subjects::members()), config = counted(381))]
fn set_pop_due(mut members: Box<Members>) -> Box<Members> {
    let Members { set, now, .. } = &mut *members;
    black_box(black_box(set).pop_due(black_box(*now)));
    members
}

#[library_benchmark]
#[bench::no_news(args = (subjects::members()), config = counted(677))]
#[bench::that_is_due(args = (subjects::taken()), config = counted(521))]
fn set_poll_deadline(mut members: Box<Members>) -> Box<Members> {
    let Members { set, key, now } = &mut *members;
    let _ = black_box(black_box(set).poll_deadline(black_box(*key), black_box(*now)));
    members
}

#[library_benchmark]
#[bench::any(args = (subjects::members()), config = counted(291))]
fn set_remove(mut members: Box<Members>) -> Box<Members> {
    let Members { set, key, .. } = &mut *members;
    black_box(black_box(set).remove(black_box(*key)));
    members
}

fn sent((mut heart, now): (Box<Machine>, Instant)) -> (Box<Machine>, Instant) {
    heart.on_send(now);
    (heart, now)
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
